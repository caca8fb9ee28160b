namespace MuseAtelier.Storms.Requests;

/// <summary>A valid request of a route.</summary>
/// <param name="Method">The method.</param>
/// <param name="Target">Path and query.</param>
/// <param name="ContentType">The type of the body; null if there is none.</param>
/// <param name="Body">Makes the body; where it holds a picture, the picture may already be damaged. Null if there is none.</param>
internal sealed record RouteSeed(string Method, string Target, string? ContentType = null, Func<Random, byte[]>? Body = null)
{
    /// <summary>Whether the body is JSON.</summary>
    public bool IsJson => ContentType == "application/json";
}
