using Microsoft.AspNetCore.Http;
using MuseAtelier.Server.Uploads;

namespace MuseAtelier.Server.PictureRoutes;

/// <summary>Reads an uploaded picture's record.</summary>
/// <param name="bodies">Reads the body.</param>
/// <param name="uploads">Knows the sources of recorded requests.</param>
internal sealed class RecordRoute(PictureBody bodies, UploadStore uploads)
{
    /// <summary>Reads the body of a request.</summary>
    public async Task<IResult> RunAsync(HttpRequest request)
    {
        RecordJson record = await bodies.ReadAsync(request, file => RecordReader.Read(file, uploads)).ConfigureAwait(false);
        return Results.Json(record, WireJson.Options);
    }
}
