# Wharf's own parts, without the embedded servers: one image for web, worker, beat, Flower and the migrations.

FROM python:3.11-slim-bookworm AS build
WORKDIR /build
RUN python -m venv /opt/wharf
# The packages first: they change less often than the code, so this layer is kept.
COPY requirements/server.txt requirements/server.txt
RUN /opt/wharf/bin/pip install --no-cache-dir --require-hashes --requirement requirements/server.txt
COPY pyproject.toml README.md LICENSE ./
COPY schemas schemas
COPY service service
COPY tasks tasks
RUN /opt/wharf/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.11-slim-bookworm
RUN groupadd --system --gid 10001 wharf \
    && useradd --system --uid 10001 --gid wharf --no-create-home --shell /usr/sbin/nologin wharf
COPY --from=build /opt/wharf /opt/wharf
# A container's own loopback is reached by nobody, so the API listens on every address inside it.
ENV PATH=/opt/wharf/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    WHARF_HOST=0.0.0.0
# By number, so that an orchestrator can see that it is not root.
USER 10001:10001
WORKDIR /tmp
EXPOSE 8080
# For the API, which is what the image runs by default; whoever runs another part brings a check of its own.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import http.client, os, sys; web = http.client.HTTPConnection('127.0.0.1', int(os.environ.get('WHARF_PORT', '8080')), timeout=4); web.request('GET', '/healthz'); sys.exit(web.getresponse().status != 200)"]
ENTRYPOINT ["wharf"]
CMD ["web"]
