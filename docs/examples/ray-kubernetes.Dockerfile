# The image of every pod in ray-kubernetes.yaml: one image, so that all have the same
# Python, Ray and keras_asymbp. From the root of the repository:
#
#   docker build -f docs/examples/ray-kubernetes.Dockerfile -t registry.example/keras-asymbp:1 .
#
# For GPUs: --build-arg TENSORFLOW="tensorflow[and-cuda]"
FROM python:3.11-slim
ARG TENSORFLOW="tensorflow"
COPY setup.py pyproject.toml README.md /src/
COPY keras_asymbp /src/keras_asymbp
RUN pip install --no-cache-dir "/src[benchmarks,ray]" "$TENSORFLOW"
RUN useradd --create-home --uid 1000 ray
USER 1000
WORKDIR /home/ray
