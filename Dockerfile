# The page on port 7860, without TensorFlow unless the file of requirements says so:
#   docker build --build-arg REQUIREMENTS=requirements.txt -t smear-reader .
FROM python:3.12-slim
ARG REQUIREMENTS=requirements-serve.txt

RUN useradd --create-home --uid 1000 reader
WORKDIR /home/reader/app
COPY requirements*.txt ./
RUN pip install --no-cache-dir -r "$REQUIREMENTS"
COPY --chown=root:root app.py README.md ./
COPY --chown=root:root leukemia_app ./leukemia_app
COPY --chown=root:root models ./models
COPY --chown=root:root examples ./examples

# Nothing of the app can be changed by who breaks into it; what must last goes to /state.
RUN mkdir /state && chown reader:reader /state
USER reader
ENV GRADIO_SERVER_NAME=0.0.0.0 GRADIO_SERVER_PORT=7860 LEUKEMIA_STATE_DIR=/state \
    PYTHONDONTWRITEBYTECODE=1
VOLUME /state
EXPOSE 7860
CMD ["python", "app.py"]
