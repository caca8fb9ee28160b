using MuseAtelier.Pictures;
using MuseAtelier.Storms.Running;

namespace MuseAtelier.Storms.Fuzzing;

/// <summary>Damaged picture files.</summary>
internal sealed class PictureTarget : FuzzTarget
{
    private static readonly string[] Extensions = [".png", ".png", ".jpg", ".webp"];

    private readonly byte[][] _files;
    private string _path = "";

    public PictureTarget()
    {
        _files =
        [
            .. Extensions.Select(
                (extension, i) =>
                {
                    string path = Folder.Place(FormattableString.Invariant($"sound-{i}{extension}"));
                    PictureFile.Write(StormPicture.Numbered(i), path, new PictureFileOptions { Overwrite = true });
                    return File.ReadAllBytes(path);
                }
            ),
        ];
    }

    public override byte[] Prepare(Random random, int index)
    {
        int kind = random.Next(_files.Length);
        byte[] sound = _files[kind];
        // Sizes, counts and offsets stand at the beginning.
        byte[] input =
            index == 0 ? sound
            : kind == 0 ? PngFuzz.Damage(random, sound)
            : ByteFuzz.Damage(random, sound, random.Next(2) == 0 ? 256 : 0);
        _path = Folder.Place($"damaged{Extensions[kind]}");
        File.WriteAllBytes(_path, input);
        return input;
    }

    public override void Read()
    {
        PictureFileContent content = PictureFile.Read(_path);
        // Each by itself: what the one refuses must not keep the other from being tried.
        Try(() => PictureFile.ReadPixels(_path));
        Try(() => content.ReadRecord());
        Try(() => PictureTexts.Parse(content));
    }

    private static void Try(Action read)
    {
        try
        {
            read();
        }
        catch (MuseAtelierException)
        {
            // Refused, as it may be.
        }
    }
}
