using MuseAtelier.Format;

namespace MuseAtelier.Server.Gallery;

/// <summary>The folder for the pictures cannot be used.</summary>
internal sealed class GalleryFolderException(string folder, string reason, Exception? inner = null)
    : MuseAtelierException(
        $"pictures cannot be kept in {folder} ({reason})",
        "a folder that this user may write to",
        "Name another folder with --gallery, or change the permissions of this one.",
        inner);
