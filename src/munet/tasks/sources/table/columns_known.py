"""What people call the columns of images and of labels, the likeliest first; case and signs do not count."""

IMAGE = (
    "image", "images", "img", "imagepath", "imgpath", "path", "filepath", "filename", "file", "imagefile", "imgfile",
    "imageid", "imgid", "imagename", "imgname", "imagefilename", "photo", "picture", "name", "id", "uuid",
)  # fmt: skip
LABEL = (
    "label", "labels", "class", "classes", "classname", "labelname", "category", "categoryname", "target", "species",
    "breed", "diagnosis", "dx", "finding", "findinglabels", "tag", "tags", "type", "classid", "labelid", "categoryid",
    "y",
)  # fmt: skip
