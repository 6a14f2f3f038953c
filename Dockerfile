# Stage 1 builds; the last stage only copies, so the image has no compiler, no pip and no shell.
# BUILD_BASE has pip and a shell. BASE has /usr/bin/python3 of the same minor version, and no more.
ARG BUILD_BASE=docker.io/library/python:3.13-slim-trixie
ARG BASE=gcr.io/distroless/python3-debian13:nonroot

FROM ${BUILD_BASE} AS build
# pip takes these from its environment: for a mirror, or a folder of wheels instead of an index.
ARG PIP_INDEX_URL
ARG PIP_NO_INDEX
ARG PIP_FIND_LINKS
# Equal sources give an equal image: the wheel's own times are these seconds.
ARG SOURCE_DATE_EPOCH
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /src
COPY . .
RUN python3 -m venv --without-pip /tmp/builder \
 && pip="python3 -m pip --python /tmp/builder/bin/python" \
 && $pip install --require-hashes --only-binary :all: -r requirements/build.txt \
 && $pip wheel --no-deps --no-build-isolation --wheel-dir /tmp/wheel .
# kubernetes/aio is the client a second time, for asyncio: 40 MB that nothing here imports.
RUN python3 -m venv --without-pip /opt/hybrid-guard \
 && pip="python3 -m pip --python /opt/hybrid-guard/bin/python" \
 && $pip install --no-compile --require-hashes --only-binary :all: -r requirements/run.txt \
 && $pip install --no-compile --no-deps --no-index /tmp/wheel/*.whl \
 && rm -r /opt/hybrid-guard/lib/python3.*/site-packages/kubernetes/aio \
 && find /opt/hybrid-guard/lib -type d -name tests -prune -exec rm -r {} + \
 && find /opt/hybrid-guard/bin -type f ! -name 'hybrid-*' -delete \
 && ln -sf /usr/bin/python3 /opt/hybrid-guard/bin/python3 \
 && ln -sf python3 /opt/hybrid-guard/bin/python \
 && echo 'home = /usr/bin' > /opt/hybrid-guard/pyvenv.cfg

# BASE's own interpreter compiles all, its library too, since nobody can write there later: a start
# takes a quarter of the time. Then it must find what stage 1 installed, or the build ends here.
FROM ${BASE} AS compiled
USER 0
COPY --from=build /opt/hybrid-guard /opt/hybrid-guard
ENV PYTHONPYCACHEPREFIX=/opt/hybrid-guard/pycache
RUN ["/opt/hybrid-guard/bin/python3", "-m", "compileall", "-q", "-j0", "--invalidation-mode=unchecked-hash", "/opt/hybrid-guard/lib", "/usr/lib"]
RUN ["/opt/hybrid-guard/bin/hybrid-guard", "--version"]

FROM ${BASE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="hybrid-guard" \
      org.opencontainers.image.description="Admission webhook that keeps CNI add-ons and workloads on their side of a hybrid Kubernetes cluster" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=compiled /opt/hybrid-guard /opt/hybrid-guard
# /tmp is the one folder that must be writable: mount an emptyDir there.
ENV PATH=/opt/hybrid-guard/bin \
    HOME=/tmp \
    LANG=C.UTF-8 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONPYCACHEPREFIX=/opt/hybrid-guard/pycache \
    PYTHONNOUSERSITE=1 \
    PYTHONSAFEPATH=1 \
    PYTHONUNBUFFERED=1
USER 65532:65532
WORKDIR /tmp
EXPOSE 19443
ENTRYPOINT ["hybrid-guard"]
CMD ["--help"]
