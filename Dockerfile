# The service as an image: Python's slim image, an unprivileged user, and a volume for the log.
FROM python:3.13-slim AS build
WORKDIR /src
COPY requirements requirements
RUN python -m venv /opt/portreeve \
 && /opt/portreeve/bin/pip install --no-cache-dir --require-hashes -r requirements/build.txt -r requirements/run.txt
COPY . .
RUN /opt/portreeve/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.13-slim
RUN useradd --system --uid 65532 --home-dir /var/lib/portreeve --create-home portreeve
COPY --from=build /opt/portreeve /opt/portreeve
USER 65532
VOLUME /var/lib/portreeve
ENV PATH=/opt/portreeve/bin:$PATH \
    PORTREEVE_LOG=/var/lib/portreeve/decisions.db \
    PYTHONUNBUFFERED=1
EXPOSE 8080
# Another address than loopback needs PORTREEVE_TOKENS_FILE: see docs/operations.md.
ENTRYPOINT ["portreeve"]
CMD ["serve"]
