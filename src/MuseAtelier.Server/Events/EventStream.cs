using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Hosting;

namespace MuseAtelier.Server.Events;

/// <summary>Writes events to a client as server-sent events (HTML, section 9.2) until the client leaves or the server stops.</summary>
/// <param name="hub">The events.</param>
/// <param name="state">The state that a client gets first.</param>
/// <param name="lifetime">Tells when the server stops.</param>
internal sealed class EventStream(EventHub hub, ServerState state, IHostApplicationLifetime lifetime)
{
    // Proxies close connections on which nothing comes for a minute or less.
    private static readonly TimeSpan CommentEvery = TimeSpan.FromSeconds(15);

    /// <summary>Serves a client.</summary>
    public async Task ServeAsync(HttpContext context)
    {
        using EventReader reader = hub.Open();
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        context.Response.ContentType = "text/event-stream";
        context.Response.Headers.CacheControl = "no-cache, no-store";
        context.Response.Headers["X-Accel-Buffering"] = "no";
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        // A page that does not read for a while is no attack: the number of streams is limited.
        if (context.Features.Get<IHttpMinResponseDataRateFeature>() is { } rate) rate.MinDataRate = null;
        try
        {
            await WriteAsync(reader, context.Response.BodyWriter, ending.Token);
        }
        catch (OperationCanceledException)
        {
            // The client left, or the server stops.
        }
    }

    private async Task WriteAsync(EventReader reader, PipeWriter writer, CancellationToken ending)
    {
        writer.Write("retry: 2000\n\n"u8);
        while (!ending.IsCancellationRequested)
        {
            if (reader.TakeBehind()) Write(writer, "state", JsonSerializer.SerializeToUtf8Bytes(state.Write(), WireJson.Options));
            else if (reader.TryRead() is { } next) Write(writer, next.Type, next.Data.Span);
            else if (!await reader.WaitAsync(CommentEvery, ending)) writer.Write(":\n\n"u8);
            else continue;

            // Waits while the client does not read; meanwhile the reader keeps the newest events alone.
            FlushResult flushed = await writer.FlushAsync(ending);
            if (flushed.IsCompleted || flushed.IsCanceled) return;
        }
    }

    private static void Write(PipeWriter writer, string type, ReadOnlySpan<byte> data)
    {
        writer.Write("event: "u8);
        writer.Write(Encoding.ASCII.GetBytes(type));
        writer.Write("\ndata: "u8);
        writer.Write(data);
        writer.Write("\n\n"u8);
    }
}
