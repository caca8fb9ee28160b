using MuseAtelier.Server.Requests;
using MuseAtelier.Server.Uploads;

namespace MuseAtelier.Server.Clients;

/// <summary>Checks requests that other programs' clients ask for.</summary>
internal static class ClientRequest
{
    /// <summary>Refuses a request that cannot be painted, with the name that the client's API has for the member at fault.</summary>
    /// <param name="request">The request.</param>
    /// <param name="uploads">The pictures that it is painted from.</param>
    /// <param name="names">The API's names by those of the server's own API, where they differ.</param>
    /// <exception cref="ServerRequestException">The request is out of range.</exception>
    public static void Check(PictureRequest request, SourceUploads uploads, IReadOnlyDictionary<string, string> names)
    {
        try
        {
            ReferenceRules.ThrowIfUnpaintable(request, uploads);
        }
        catch (PictureRequestException exception)
        {
            ServerRequestException refused = Problems.Of(exception);
            string? field = refused.Problem.Field is { } own ? names.GetValueOrDefault(own, own) : null;
            throw new ServerRequestException(refused.Status, refused.Problem with { Field = field }, exception);
        }
    }
}
