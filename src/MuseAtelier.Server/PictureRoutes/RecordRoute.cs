using CommunityToolkit.HighPerformance.Buffers;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using MuseAtelier.Pictures;

namespace MuseAtelier.Server.PictureRoutes;

/// <summary>Reads an uploaded picture's record. Few uploads are in memory at the same time.</summary>
internal sealed class RecordRoute(ServerOptions options) : IDisposable
{
    private const int MostUploads = 4;
    private const int LeastBuffer = 64 * 1024;

    private readonly SemaphoreSlim _uploads = new(MostUploads);

    /// <summary>Reads the body of a request.</summary>
    public async Task<IResult> RunAsync(HttpRequest request)
    {
        int most = options.Limits.UploadBytes;
        if (request.ContentLength > most) throw TooLarge(most);
        if (request.HttpContext.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
            size.MaxRequestBodySize = most;
        CancellationToken cancellationToken = request.HttpContext.RequestAborted;
        await _uploads.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            using var body = new ArrayPoolBufferWriter<byte>();
            await ReadAsync(request, body, most, cancellationToken).ConfigureAwait(false);
            RecordJson record = await Task.Run(() => RecordReader.Read(body.WrittenMemory), cancellationToken).ConfigureAwait(false);
            return Results.Json(record, WireJson.Options);
        }
        catch (PictureFileException exception)
        {
            throw Refused(exception);
        }
        finally
        {
            _uploads.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _uploads.Dispose();

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

    private static ServerRequestException Refused(PictureFileException exception) => exception switch
    {
        PictureRecordMissingException or PictureRecordDamagedException or PictureRecordVersionException
            or ParametersTextException or PictureTextUnpaintableException or PictureTextTooLongException =>
            Problems.Make(400, "no-record", exception.Message, exception),
        _ => Problems.Make(400, "not-a-picture", exception.Message, exception),
    };

    private static ServerRequestException TooLarge(int most) => Problems.Make(
        413,
        "body-too-large",
        FormattableString.Invariant($"The file has more than {most:N0} bytes; expected at most that. Send a smaller copy of it."));
}
