# The service as an image. Build with the name of your registry's copy of the base and its digest:
#   docker build --build-arg BASE=registry.example/python:3.13-slim@sha256:… -t portreeve:0.1.0 .
# The default is a moving tag, because a digest that nobody updates is an old base.
# There is no OPA in it: the engine is built in. For the engine `opa` run OPA beside it, in a
# container of its own (PORTREEVE_OPA_URL).
ARG BASE=python:3.13-slim

FROM ${BASE} AS build
WORKDIR /src
COPY requirements requirements
RUN python -m venv /opt/portreeve \
 && /opt/portreeve/bin/pip install --no-cache-dir --require-hashes -r requirements/build.txt -r requirements/run.txt
COPY pyproject.toml README.md LICENSE ./
COPY adapters adapters
COPY service service
COPY policies policies
COPY bundles bundles
RUN /opt/portreeve/bin/pip install --no-cache-dir --no-deps --no-build-isolation . \
 && /opt/portreeve/bin/python -m compileall -q /opt/portreeve/lib \
 && /opt/portreeve/bin/pip uninstall --yes --quiet pip

FROM ${BASE}
RUN useradd --system --uid 65532 --home-dir /var/lib/portreeve --create-home --shell /usr/sbin/nologin portreeve
COPY --from=build /opt/portreeve /opt/portreeve
# By number: Kubernetes cannot tell from a name that it is not root.
USER 65532:65532
WORKDIR /var/lib/portreeve
VOLUME /var/lib/portreeve
# The root may be read-only: nothing is written but the log and, in /tmp, nothing that must last.
ENV PATH=/opt/portreeve/bin:$PATH \
    PORTREEVE_LOG=/var/lib/portreeve/decisions.db \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
EXPOSE 8080 8443
# Another address than loopback needs PORTREEVE_TOKENS_FILE: see docs/operations.md.
ENTRYPOINT ["portreeve"]
CMD ["serve"]
