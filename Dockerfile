# A system that serves, on CPUs: docs/serving.md says how to build and run it.
FROM python:3.12-slim
RUN useradd --create-home --uid 1000 munet
WORKDIR /opt/munet
# torch from its index of CPU builds, which are a tenth of the size; torchvision, which timm needs, has to match it
RUN pip install --no-cache-dir --index-url https://download.pytorch.org/whl/cpu torch torchvision
COPY pyproject.toml README.md LICENSE ./
COPY src ./src
RUN pip install --no-cache-dir '.[serve,remote]'
USER munet
EXPOSE 8000
HEALTHCHECK CMD ["python", "-c", "import socket; socket.create_connection(('127.0.0.1', 8000), 3)"]
ENTRYPOINT ["munet"]
CMD ["serve", "/system", "--host", "0.0.0.0", "--port", "8000"]
