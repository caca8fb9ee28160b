namespace MuseAtelier.Server.Gallery;

/// <summary>The failures of the gallery as clients see them.</summary>
internal static class GalleryProblems
{
    private const int NotFound = 404;
    private const int Failed = 500;
    private const int InsufficientStorage = 507;

    // Windows: ERROR_DISK_FULL and ERROR_HANDLE_DISK_FULL. Linux: ENOSPC and EDQUOT.
    private static readonly int[] DiskFull = [unchecked((int)0x80070070), unchecked((int)0x80070027), 28, 122];

    /// <summary>There is no picture with this id.</summary>
    public static ServerRequestException NoSuchPicture() => new(NotFound, new Problem
    {
        Kind = "no-such-picture",
        Message = "The gallery has no picture with this id; expected one that it lists. It may have been removed: list the pictures again.",
    });

    /// <summary>A file could not be moved to the trash or back.</summary>
    public static ServerRequestException NotMoved(Exception exception) => DiskFull.Contains(exception.HResult)
        ? new ServerRequestException(
            InsufficientStorage,
            new Problem
            {
                Kind = "disk-full",
                Message = "No space is left on the disk of the gallery; expected room for a new name. Free some space, and try again.",
            },
            exception)
        : new ServerRequestException(
            Failed,
            new Problem
            {
                Kind = "failed",
                Message = "The system refused to move the file; expected a gallery that may be changed. Check the folder's permissions.",
            },
            exception);
}
