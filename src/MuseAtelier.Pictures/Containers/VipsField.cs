namespace MuseAtelier.Pictures.Containers;

/// <summary>Names under which libvips keeps a file's metadata.</summary>
internal static class VipsField
{
    public const string Exif = "exif-data", Xmp = "xmp-data";
}
