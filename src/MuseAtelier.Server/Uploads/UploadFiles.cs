using System.Text.Json;
using MuseAtelier.Format;
using MuseAtelier.Pictures;
using MuseAtelier.Pictures.Files;
using MuseAtelier.Server.Gallery;

namespace MuseAtelier.Server.Uploads;

/// <summary>
/// The files of uploads in the gallery's private folder: each picture under the digest of its content, and beside it what is known of it.
/// Names are made of digests alone, so that no client's text becomes a path.
/// </summary>
/// <param name="folders">The folders of the gallery.</param>
internal sealed class UploadFiles(GalleryFolders folders)
{
    private const string Facts = ".json";
    private const int MostFactBytes = 4096;

    /// <summary>The path of a picture.</summary>
    public string PathOf(string id) => Path.Combine(folders.Uploads, id);

    /// <summary>Reads what is known of all pictures whose files are there. Pictures of which nothing is known are deleted.</summary>
    /// <param name="most">The most uploads.</param>
    public IReadOnlyList<Upload> Read(int most)
    {
        if (!Directory.Exists(folders.Uploads)) return [];
        List<Upload> uploads = [];
        foreach (FileInfo file in new DirectoryInfo(folders.Uploads).EnumerateFiles().Take(4 * most))
        {
            if (!IsId(file.Name)) continue;
            if (ReadFacts(file) is { } upload && uploads.Count < most) uploads.Add(upload);
            else Delete(file.Name);
        }

        return uploads;
    }

    /// <summary>Writes a picture, unless its file is there, and then what is known of it.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The user may not write it.</exception>
    public void Write(Upload upload, ReadOnlySpan<byte> file)
    {
        Directory.CreateDirectory(folders.Uploads);
        string path = PathOf(upload.Id);
        if (!GalleryFolders.IsRegular(path) || new FileInfo(path).Length != file.Length)
            AtomicFile.Write(path, file, overwrite: true, mode: null);
        WriteFacts(upload);
    }

    /// <summary>Writes what is known of a picture.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The user may not write it.</exception>
    public void WriteFacts(Upload upload)
    {
        var facts = new UploadFacts(
            upload.Name, upload.Width, upload.Height, upload.Format, upload.Sha256, upload.Transparency, upload.MaskSha256)
        {
            TransparencyLightest = upload.TransparencyLightest,
            MaskLightest = upload.MaskLightest,
        };
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(facts, WireJson.Options);
        AtomicFile.Write(PathOf(upload.Id) + Facts, json, overwrite: true, mode: null);
    }

    /// <summary>Remembers that a picture was used, over restarts as well.</summary>
    public void Touch(Upload upload)
    {
        try
        {
            File.SetLastWriteTimeUtc(PathOf(upload.Id) + Facts, upload.Used.UtcDateTime);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // It may be deleted earlier after a restart.
        }
    }

    /// <summary>The bytes of a picture; null if its file is gone.</summary>
    public byte[]? ReadPicture(Upload upload)
    {
        string path = PathOf(upload.Id);
        try
        {
            return GalleryFolders.IsRegular(path) && new FileInfo(path).Length == upload.Bytes ? File.ReadAllBytes(path) : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Deletes a picture and what is known of it, as far as the system lets it.</summary>
    public void Delete(string id)
    {
        foreach (string path in (string[])[PathOf(id), PathOf(id) + Facts])
        {
            try
            {
                File.Delete(path);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // The next start tries again.
            }
        }
    }

    private static bool IsId(string name) => name.Length == 64 && name.All(char.IsAsciiHexDigitLower);

    private static Upload? ReadFacts(FileInfo picture)
    {
        try
        {
            var file = new FileInfo(picture.FullName + Facts);
            bool isUsable = file.Exists && file.Length <= MostFactBytes
                && GalleryFolders.IsRegular(file.FullName) && GalleryFolders.IsRegular(picture.FullName);
            if (!isUsable) return null;
            UploadFacts? facts = JsonSerializer.Deserialize<UploadFacts>(File.ReadAllBytes(file.FullName), WireJson.Options);
            if (facts is null) return null;
            // Refuses sizes and digests that are none.
            _ = SourceImage.Reference(facts.Width, facts.Height, facts.Sha256);
            foreach (string digest in new[] { facts.Transparency, facts.MaskSha256 }.OfType<string>()) ImageDigest.Check(digest);
            return new Upload
            {
                Id = picture.Name,
                Width = facts.Width,
                Height = facts.Height,
                Name = facts.Name,
                Bytes = picture.Length,
                Format = facts.Format,
                Sha256 = facts.Sha256,
                Transparency = facts.Transparency,
                TransparencyLightest = facts.TransparencyLightest,
                MaskSha256 = facts.MaskSha256,
                MaskLightest = facts.MaskLightest,
                Used = file.LastWriteTimeUtc,
            };
        }
        catch (Exception exception)
            when (exception is IOException or UnauthorizedAccessException or JsonException or ArgumentException or NotSupportedException)
        {
            return null;
        }
    }

    private sealed record UploadFacts(
        string? Name, int Width, int Height, PictureFormat Format, string Sha256, string? Transparency, string? MaskSha256)
    {
        // Files of earlier versions have neither.
        public byte? TransparencyLightest { get; init; }

        public byte? MaskLightest { get; init; }
    }
}
