namespace MuseAtelier.Server.Uploads;

/// <summary>The refusals of uploads.</summary>
internal static class UploadProblems
{
    /// <summary>There is no such upload.</summary>
    /// <param name="field">The field that names it; null if the address does.</param>
    public static ServerRequestException NoSuchUpload(string? field = null) => Problems.Make(
        404,
        "no-such-upload",
        "The server does not keep this picture; expected the id of an upload, which is kept for a day after its last use. Send it again.",
        inner: null,
        field);

    /// <summary>Jobs need as many uploads as may be kept.</summary>
    public static ServerRequestException Full() => Problems.Make(
        429, "uploads-full", "The jobs that wait need as many pictures as may be kept. Try again when one is finished.");
}
