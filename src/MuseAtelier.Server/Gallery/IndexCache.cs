using System.IO.Hashing;
using System.Text;
using System.Text.Json;
using MuseAtelier.Pictures;
using MuseAtelier.Pictures.Files;
using MuseAtelier.Pictures.Metadata;

namespace MuseAtelier.Server.Gallery;

/// <summary>
/// The index on disk: what was read of each file, by its name, length and time. It only saves reading; whatever is damaged in it, or does
/// not fit the files, is read again.
/// </summary>
/// <param name="folders">The folders of the gallery.</param>
/// <param name="reader">Shares the texts of the records.</param>
internal sealed class IndexCache(GalleryFolders folders, GalleryReader reader)
{
    // Some hundred thousand pictures. A larger file is not one that the server wrote.
    private const long MostBytes = 512L << 20;
    private const int MostPictures = 1_000_000;

    private static readonly byte[] Mark = "museatelier gallery index 2\n"u8.ToArray();

    // Behind the mark and the digest of the body.
    private static readonly int BodyAt = Mark.Length + sizeof(ulong);

    /// <summary>What the index says, by file name; empty if there is none, or none that can be read.</summary>
    public Dictionary<string, GalleryPicture> Read()
    {
        try
        {
            var file = new FileInfo(folders.Index);
            if (!file.Exists || file.Length > MostBytes || !GalleryFolders.IsRegular(file.FullName)) return [];
            byte[] content = File.ReadAllBytes(folders.Index);
            return IsIntact(content) ? Parse(content) : [];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or JsonException or FormatException
            or ArgumentException or InvalidOperationException)
        {
            return [];
        }
    }

    /// <summary>Writes the index. A failure is not reported, because the index is only a cache.</summary>
    public void Write(IReadOnlyCollection<GalleryPicture> pictures)
    {
        try
        {
            using var file = new MemoryStream();
            using (var writer = new BinaryWriter(file, Encoding.UTF8, leaveOpen: true))
            {
                writer.Write(Mark);
                writer.Write(0UL);
                writer.Write(pictures.Count);
                foreach (GalleryPicture picture in pictures) Write(writer, picture);
            }

            Span<byte> content = file.GetBuffer().AsSpan(0, (int)file.Length);
            BitConverter.TryWriteBytes(content[Mark.Length..], XxHash64.HashToUInt64(content[BodyAt..]));
            AtomicFile.Write(folders.Index, content, overwrite: true, mode: null);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
        }
    }

    private static bool IsIntact(ReadOnlySpan<byte> content)
    {
        if (content.Length < BodyAt || !content.StartsWith(Mark)) return false;
        return BitConverter.ToUInt64(content[Mark.Length..]) == XxHash64.HashToUInt64(content[BodyAt..]);
    }

    private Dictionary<string, GalleryPicture> Parse(byte[] content)
    {
        using var stream = new MemoryStream(content, BodyAt, content.Length - BodyAt, writable: false);
        using var file = new BinaryReader(stream, Encoding.UTF8);
        int count = file.ReadInt32();
        if (count is < 0 or > MostPictures) return [];
        Dictionary<string, GalleryPicture> pictures = new(StringComparer.Ordinal);
        for (int i = 0; i < count; i++)
        {
            GalleryPicture picture = ReadPicture(file);
            pictures[picture.FileName] = picture;
        }

        return pictures;
    }

    private static void Write(BinaryWriter file, GalleryPicture picture)
    {
        file.Write(picture.FileName);
        file.Write(picture.Painted.UtcTicks);
        file.Write(picture.Bytes);
        file.Write(picture.Width);
        file.Write(picture.Height);
        file.Write((byte)picture.Format);
        file.Write(picture.Record is null ? "" : JsonSerializer.Serialize(picture.Record, RecordJson.Types.PictureRecord));
        file.Write(picture.Text ?? "");
    }

    private GalleryPicture ReadPicture(BinaryReader file)
    {
        string name = file.ReadString();
        var painted = new DateTimeOffset(file.ReadInt64(), TimeSpan.Zero);
        long bytes = file.ReadInt64();
        (int width, int height) = (file.ReadInt32(), file.ReadInt32());
        var format = (PictureFormat)file.ReadByte();
        string record = file.ReadString();
        string text = file.ReadString();
        return new GalleryPicture
        {
            Id = GalleryNames.IdOf(name),
            FileName = name,
            Painted = painted,
            Width = width,
            Height = height,
            Bytes = bytes,
            Format = format,
            Record = record.Length == 0 ? null : reader.Slim(JsonSerializer.Deserialize(record, RecordJson.Types.PictureRecord)!),
            Text = text.Length == 0 ? null : text,
        };
    }
}
