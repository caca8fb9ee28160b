using MuseAtelier.Pictures;
using MuseAtelier.Storms.Running;

namespace MuseAtelier.Storms.Requests;

/// <summary>Sound picture files of each format, for uploads.</summary>
internal static class SoundPictures
{
    private static readonly string[] Names = ["a.png", "b.jpg", "c.webp"];

    /// <summary>The files; the first is PNG.</summary>
    public static IReadOnlyList<byte[]> All { get; } = Write();

    private static byte[][] Write()
    {
        string folder = Directory.CreateTempSubdirectory("muse-storm-").FullName;
        try
        {
            string[] paths = [.. Names.Select(name => Path.Combine(folder, name))];
            foreach ((int number, string path) in paths.Index())
                PictureFile.Write(StormPicture.Numbered(number), path);
            return [.. paths.Select(File.ReadAllBytes)];
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
