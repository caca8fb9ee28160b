using CommunityToolkit.HighPerformance.Buffers;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using MuseAtelier.Pictures;

namespace MuseAtelier.Server.Uploads;

/// <summary>Reads bodies that are pictures. Few of them are in memory at the same time.</summary>
internal sealed class PictureBody(ServerOptions options) : IDisposable
{
    private const int MostBodies = 4;
    private const int LeastBuffer = 64 * 1024;

    private readonly SemaphoreSlim _bodies = new(MostBodies);

    /// <summary>Reads the body of a request.</summary>
    /// <param name="request">The request.</param>
    /// <param name="use">Uses the file, which is valid until it returns, on the thread pool.</param>
    /// <exception cref="ServerRequestException">The body is too large, or no picture.</exception>
    public async Task<T> ReadAsync<T>(HttpRequest request, Func<ReadOnlyMemory<byte>, T> use)
    {
        int most = options.Limits.UploadBytes;
        if (request.ContentLength > most) throw TooLarge(most);
        if (request.HttpContext.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
            size.MaxRequestBodySize = most;
        CancellationToken cancellationToken = request.HttpContext.RequestAborted;
        await _bodies.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            using var body = new ArrayPoolBufferWriter<byte>();
            await ReadAsync(request, body, most, cancellationToken).ConfigureAwait(false);
            return await Task.Run(() => use(body.WrittenMemory), cancellationToken).ConfigureAwait(false);
        }
        catch (PictureFileException exception)
        {
            throw Problems.Refused(exception);
        }
        finally
        {
            _bodies.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _bodies.Dispose();

    private static async Task ReadAsync(
        HttpRequest request, ArrayPoolBufferWriter<byte> body, int most, CancellationToken cancellationToken)
    {
        while (true)
        {
            Memory<byte> room = body.GetMemory(LeastBuffer);
            int read = await request.Body.ReadAsync(room, cancellationToken).ConfigureAwait(false);
            if (read == 0) return;
            body.Advance(read);
            if (body.WrittenCount > most) throw TooLarge(most);
        }
    }

    private static ServerRequestException TooLarge(int most) => Problems.Make(
        413,
        "body-too-large",
        FormattableString.Invariant($"The file has more than {most:N0} bytes; expected at most that. Send a smaller copy of it."));
}
