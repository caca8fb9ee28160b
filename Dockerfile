# The atelier on a processor: docs/server.md says how to run it. Needs BuildKit, which docker build uses since Docker 23.
# The SDK runs on the machine's own architecture, because .NET does not run under QEMU, and publishes for the image's (amd64, arm64).
FROM --platform=$BUILDPLATFORM mcr.microsoft.com/dotnet/sdk:10.0 AS build
ARG TARGETARCH
WORKDIR /source
COPY . .
# Packages stay in a cache of the builder, so that a change of the sources downloads nothing again.
RUN --mount=type=cache,target=/root/.nuget/packages \
    dotnet publish src/MuseAtelier.Cli -c Release -a $TARGETARCH --no-self-contained -p:RunAnalyzers=false -o /app

FROM mcr.microsoft.com/dotnet/aspnet:10.0
COPY --from=build /app /app
RUN mkdir /models /cache /pictures && chown $APP_UID /cache /pictures
USER $APP_UID
ENV MUSE_CACHE=/cache
VOLUME ["/models", "/cache", "/pictures"]
EXPOSE 7860
# The image has no curl. Bash speaks HTTP well enough for one answer.
SHELL ["/bin/bash", "-c"]
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
    CMD exec 3<>/dev/tcp/127.0.0.1/7860 \
        && printf 'GET /health HTTP/1.0\r\nHost: localhost\r\n\r\n' >&3 \
        && grep -q '^HTTP/1.1 200' <&3
# A stop signal lets the running picture end within a step.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/app/muse", "atelier", "--listen", "0.0.0.0", "--no-open", "--gallery", "/pictures"]
CMD ["--model", "/models", "--model", "/app/models/miniature/miniature.safetensors"]
