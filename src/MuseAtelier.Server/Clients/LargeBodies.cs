using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace MuseAtelier.Server.Clients;

/// <summary>Reads requests that hold pictures. Few of them are in memory at the same time; the others wait before they are read.</summary>
/// <param name="limits">The limits of bodies and pictures.</param>
internal sealed class LargeBodies(ServerLimits limits) : IDisposable
{
    private const int MostBodies = 2, MostPictures = 2;

    private readonly SemaphoreSlim _bodies = new(MostBodies);

    /// <summary>Reads a JSON object with pictures in base64.</summary>
    /// <param name="context">The request.</param>
    /// <param name="read">Reads the object, which is valid until it returns, on the thread pool.</param>
    /// <exception cref="ServerRequestException">The body is too large, or no such object.</exception>
    public Task<T> ReadObjectAsync<T>(HttpContext context, Func<JsonElement, T> read) => ReadAsync(context, async () =>
    {
        // Base64 takes 4 characters for 3 bytes.
        int most = (limits.UploadBytes / 3 * 4 * MostPictures) + limits.BodyBytes;
        using JsonDocument body = await ClientBody.ReadObjectAsync(context, most);
        return await Task.Run(() => read(body.RootElement), context.RequestAborted);
    });

    /// <summary>Reads a form with pictures as files.</summary>
    /// <param name="context">The request.</param>
    /// <param name="read">Reads the form, which is valid until it returns, on the thread pool.</param>
    /// <exception cref="ServerRequestException">The body is too large, or no form.</exception>
    public Task<T> ReadFormAsync<T>(HttpContext context, Func<ClientForm, T> read) => ReadAsync(context, async () =>
    {
        int most = (MostPictures * limits.UploadBytes) + limits.BodyBytes;
        using ClientForm form = await ClientForm.ReadAsync(context, limits.UploadBytes, most);
        return await Task.Run(() => read(form), context.RequestAborted);
    });

    /// <inheritdoc/>
    public void Dispose() => _bodies.Dispose();

    private async Task<T> ReadAsync<T>(HttpContext context, Func<Task<T>> read)
    {
        await _bodies.WaitAsync(context.RequestAborted);
        try
        {
            return await read();
        }
        finally
        {
            _bodies.Release();
        }
    }
}
