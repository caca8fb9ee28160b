using System.Numerics.Tensors;
using CommunityToolkit.HighPerformance.Buffers;
using MuseAtelier.Format;
using MuseAtelier.Pictures;
using MuseAtelier.Pictures.Containers;
using MuseAtelier.Pictures.Metadata;
using MuseAtelier.Server.Gallery;

namespace MuseAtelier.Server.Uploads;

/// <summary>
/// The pictures that clients sent, and those of the gallery that others are painted from. Each is kept as long as a job needs it, and a day
/// after its last use; within bounds of number and bytes. Two are decoded at the same time at most. Members may be called from any thread.
/// </summary>
internal sealed class UploadStore : IDisposable
{
    private const int MostDecoding = 2, LongestName = 200;

    private static readonly TimeSpan LookEvery = TimeSpan.FromHours(1);

    // Uses that follow each other are not all written to the disk.
    private static readonly TimeSpan TouchEvery = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _decoding = new(MostDecoding);
    private readonly UploadFiles _files;
    private readonly ServerLimits _limits;
    private Dictionary<string, Upload>? _uploads;
    private Func<IEnumerable<string>>? _needed;
    private Timer? _timer;

    /// <summary>Creates the store; the folder is read when an upload is first asked for.</summary>
    /// <param name="folders">The folders of the gallery.</param>
    /// <param name="limits">The bounds.</param>
    public UploadStore(GalleryFolders folders, ServerLimits limits)
    {
        _files = new UploadFiles(folders);
        _limits = limits;
    }

    private Dictionary<string, Upload> Known => _uploads ??= _files.Read(_limits.Uploads).ToDictionary(upload => upload.Id);

    /// <summary>Begins to delete uploads that nobody needs. Before, none is deleted.</summary>
    /// <param name="needed">The ids that jobs need at this moment; called from any thread.</param>
    public void CleanUp(Func<IEnumerable<string>> needed)
    {
        lock (_gate)
        {
            _needed = needed;
            _timer ??= new Timer(_ => Trim(), state: null, TimeSpan.Zero, LookEvery);
        }
    }

    /// <summary>Keeps a picture.</summary>
    /// <param name="file">The file; borrowed.</param>
    /// <param name="name">The name that the client gives it; null for none.</param>
    /// <returns>The upload; the one that was there if the same file came before.</returns>
    /// <exception cref="PictureFileException">It is no picture, damaged, or too large to be decoded.</exception>
    /// <exception cref="ServerRequestException">It has too many bytes, or jobs need as many uploads as may be kept.</exception>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The user may not write it.</exception>
    public Upload Add(ReadOnlyMemory<byte> file, string? name)
    {
        string id = Sha256.Hash(file.Span);
        if (Find(id) is { } known) return known;
        PictureFileContent content = PictureFile.Read(file);
        RequirePixels(content);
        Upload upload = Decode(() =>
        {
            SourceImage image = UploadPixels.SourceOf(file, name: null);
            MaskImage? transparency = image.Alpha.IsEmpty ? null : MaskImage.OfTransparency(image);
            return new Upload
            {
                Id = id,
                Width = image.Width,
                Height = image.Height,
                Name = CleanName(name),
                Bytes = file.Length,
                Format = content.Format,
                Sha256 = image.Sha256,
                Transparency = transparency?.Sha256,
                TransparencyLightest = transparency is null ? null : LightestOf(transparency),
                Used = DateTimeOffset.UtcNow,
            };
        });
        MakeRoom(file.Length);
        _files.Write(upload, file.Span);
        lock (_gate) Known[id] = upload;
        return upload;
    }

    /// <summary>Keeps a picture that was made of another one.</summary>
    /// <param name="image">The picture; its transparency is not kept.</param>
    /// <returns>The upload, a PNG file.</returns>
    /// <exception cref="ServerRequestException">Jobs need as many uploads as may be kept.</exception>
    /// <exception cref="IOException">It cannot be written.</exception>
    public Upload Add(SourceImage image) => Add(Encode(image.Width, image.Height, image.Pixels), image.Name);

    /// <summary>Keeps a mask that was made of a picture.</summary>
    /// <param name="mask">The mask.</param>
    /// <returns>The upload, a PNG file, whose white is painted anew.</returns>
    /// <exception cref="ServerRequestException">Jobs need as many uploads as may be kept.</exception>
    /// <exception cref="IOException">It cannot be written.</exception>
    public Upload Add(MaskImage mask)
    {
        ReadOnlySpan<byte> from = mask.Pixels.Span;
        byte[] pixels = new byte[from.Length * 3];
        for (int i = 0; i < from.Length; i++) pixels.AsSpan(i * 3, 3).Fill(from[i]);
        return Add(Encode(mask.Width, mask.Height, pixels), mask.Name);
    }

    /// <summary>An upload by its id; null if there is none. It counts as used.</summary>
    public Upload? Find(string id)
    {
        lock (_gate) return Known.TryGetValue(id, out Upload? upload) ? Use(upload) : null;
    }

    /// <summary>An upload by the digest of its pixels; null if there is none. It counts as used.</summary>
    public Upload? FindPixels(string sha256) => Find(upload => upload.Sha256 == sha256);

    /// <summary>An upload by the digest of it as a mask; null if there is none. It counts as used.</summary>
    public Upload? FindMask(string sha256) => Find(upload => upload.MaskSha256 == sha256);

    /// <summary>The uploads of a recorded request, as far as they are kept.</summary>
    public SourceUploads Of(PictureRequest request)
    {
        if (request.Source is not { } source) return default;
        string? mask = source.Mask?.Image.Sha256;
        lock (_gate)
        {
            Upload? picture = Known.Values.FirstOrDefault(upload => upload.Sha256 == source.Image.Sha256);
            if (mask is null) return new SourceUploads(picture?.Id, Mask: null, IsTransparency: false);
            bool isTransparency = picture?.Transparency == mask;
            string? other = isTransparency ? null : Known.Values.FirstOrDefault(upload => upload.MaskSha256 == mask)?.Id;
            return new SourceUploads(picture?.Id, other, isTransparency);
        }
    }

    /// <summary>The picture of an upload.</summary>
    /// <exception cref="ServerRequestException">Its file is gone.</exception>
    /// <exception cref="PictureFileException">Its file was changed, and cannot be decoded any more.</exception>
    public SourceImage LoadSource(Upload upload)
    {
        byte[] file = Read(upload);
        return Decode(() => UploadPixels.SourceOf(file, upload.Name));
    }

    /// <summary>An upload as a mask.</summary>
    /// <exception cref="ServerRequestException">Its file is gone.</exception>
    /// <exception cref="PictureFileException">Its file was changed, and cannot be decoded any more.</exception>
    public MaskImage LoadMask(Upload upload)
    {
        byte[] file = Read(upload);
        MaskImage mask = Decode(() => UploadPixels.MaskOf(file, upload.Name));
        if (upload is { MaskSha256: null } or { MaskLightest: null }) Remember(upload, mask);
        return mask;
    }

    /// <summary>An upload of which is known what it is as a mask: its digest and its lightest value.</summary>
    /// <exception cref="ServerRequestException">Its file is gone.</exception>
    /// <exception cref="PictureFileException">Its file was changed, and cannot be decoded any more.</exception>
    public (string Sha256, byte Lightest) MaskFacts(Upload upload)
    {
        if (upload is { MaskSha256: { } digest, MaskLightest: { } lightest }) return (digest, lightest);
        MaskImage mask = LoadMask(upload);
        return (mask.Sha256, LightestOf(mask));
    }

    /// <summary>The bytes of an upload.</summary>
    /// <exception cref="ServerRequestException">Its file is gone.</exception>
    public byte[] Read(Upload upload)
    {
        if (_files.ReadPicture(upload) is { } file) return file;
        lock (_gate) Known.Remove(upload.Id);
        throw UploadProblems.NoSuchUpload();
    }

    /// <summary>Deletes what nobody needs and what is beyond the bounds.</summary>
    public void Trim() => MakeRoom(bytes: 0);

    /// <inheritdoc/>
    public void Dispose()
    {
        _timer?.Dispose();
        _decoding.Dispose();
    }

    private static string? CleanName(string? name)
    {
        string last = name?[(name.LastIndexOfAny(['/', '\\']) + 1)..].Trim() ?? "";
        string line = string.Concat(last.Take(LongestName).Select(letter => IsPrintable(letter) ? letter : '_'));
        return line.Length == 0 ? null : line;

        static bool IsPrintable(char letter) => !char.IsControl(letter) && !char.IsSurrogate(letter);
    }

    private static byte[] Encode(int width, int height, ReadOnlyMemory<byte> pixels)
    {
        using ArrayPoolBufferWriter<byte> file = PictureEncoder.Encode(
            "the upload", pixels, width, height, new RecordedEncoding(PictureFormat.Png, null), new MetadataTexts(null, null, null));
        return file.WrittenSpan.ToArray();
    }

    private static byte LightestOf(MaskImage mask) => TensorPrimitives.Max(mask.Pixels.Span);

    private void Remember(Upload upload, MaskImage mask)
    {
        Upload known = upload with { MaskSha256 = mask.Sha256, MaskLightest = LightestOf(mask) };
        _files.WriteFacts(known);
        lock (_gate)
            if (Known.ContainsKey(upload.Id)) Known[upload.Id] = known;
    }

    private void RequirePixels(PictureFileContent content)
    {
        if ((long)content.Width * content.Height <= _limits.SourcePixels) return;
        throw new PictureTooLargeException(
            "the upload",
            FormattableString.Invariant($"it states {content.Width}x{content.Height} px; at most {_limits.SourcePixels} are taken"));
    }

    private T Decode<T>(Func<T> decode)
    {
        _decoding.Wait();
        try
        {
            return decode();
        }
        finally
        {
            _decoding.Release();
        }
    }

    private Upload? Find(Func<Upload, bool> isIt)
    {
        lock (_gate) return Known.Values.FirstOrDefault(isIt) is { } upload ? Use(upload) : null;
    }

    private Upload Use(Upload upload)
    {
        DateTimeOffset now = DateTimeOffset.UtcNow;
        if (now - upload.Used < TouchEvery) return upload;
        Upload used = upload with { Used = now };
        Known[upload.Id] = used;
        _files.Touch(used);
        return used;
    }

    private void MakeRoom(long bytes)
    {
        // Asking the jobs takes their lock, which must not be taken within this one.
        Func<IEnumerable<string>>? asked;
        lock (_gate) asked = _needed;
        if (asked is null) return;
        HashSet<string> needed = [.. asked()];
        DateTimeOffset oldest = DateTimeOffset.UtcNow - _limits.UploadAge;
        lock (_gate)
        {
            long all = Known.Values.Sum(upload => upload.Bytes) + bytes;
            int count = Known.Count + (bytes > 0 ? 1 : 0);
            foreach (Upload upload in Known.Values.Where(upload => !needed.Contains(upload.Id)).OrderBy(upload => upload.Used).ToArray())
            {
                bool isInBounds = all <= _limits.UploadedBytes && count <= _limits.Uploads;
                if (isInBounds && upload.Used >= oldest) break;
                Known.Remove(upload.Id);
                _files.Delete(upload.Id);
                (all, count) = (all - upload.Bytes, count - 1);
            }

            if (bytes > 0 && (all > _limits.UploadedBytes || count > _limits.Uploads)) throw UploadProblems.Full();
        }
    }
}
