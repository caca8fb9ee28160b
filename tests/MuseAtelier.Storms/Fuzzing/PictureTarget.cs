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
        // The damage must reach the beginning, because sizes, counts and offsets lie there.
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
        // Each reader must run by itself, because a refusal by one must not prevent the other.
        Try(() => PictureFile.Decode(_path).Dispose());
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
            // The reader may refuse the input.
        }
    }
}
