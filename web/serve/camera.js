/* A picture from a camera of the machine that the page is open on. Browsers give a page the camera only over HTTPS or from
   this machine, so elsewhere the button stays hidden; a phone's file chooser offers its camera everywhere. */

const WIDEST = 1280; // pixels that are asked of a camera; models read fewer

/** @type {Record<string, string>} */
const REFUSED = {
  NotAllowedError: "The browser was not allowed to use the camera. Allow it for this page, or choose a file.",
  NotFoundError: "There is no camera here. Choose a file.",
  NotReadableError: "Another program uses the camera. Close it there, or choose a file.",
};

/** @param {unknown} error */
function reason(error) {
  const name = error instanceof DOMException ? error.name : "";
  return new Error(REFUSED[name] ?? `The camera does not answer: ${error instanceof Error ? error.message : error}`);
}

/** True where a camera is there and the browser gives it to this page. */
export async function hasCamera() {
  const devices = (await navigator.mediaDevices?.enumerateDevices?.().catch(() => [])) ?? [];
  return devices.some((device) => device.kind === "videoinput");
}

/**
 * Shows what the camera sees. Throws an error with words for a person where it cannot.
 * @param {HTMLVideoElement} video
 */
export async function open(video) {
  const wanted = { facingMode: "environment", width: { ideal: WIDEST } };
  try {
    video.srcObject = await navigator.mediaDevices.getUserMedia({ video: wanted });
    await video.play();
  } catch (error) {
    close(video);
    throw reason(error);
  }
}

/**
 * Lets go of the camera, so that its light goes out.
 * @param {HTMLVideoElement} video
 */
export function close(video) {
  const stream = video.srcObject;
  if (stream instanceof MediaStream) for (const track of stream.getTracks()) track.stop();
  video.srcObject = null;
}

/**
 * What the camera sees now, as a PNG: a JPEG would be a loss that no camera asked for.
 * @param {HTMLVideoElement} video
 * @returns {Promise<Blob>}
 */
export function taken(video) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  canvas.getContext("2d")?.drawImage(video, 0, 0);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("The camera gave no picture."))), "image/png");
  });
}
