using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Format;
using static System.FormattableString;

namespace MuseAtelier.Export.Embeddings;

/// <summary>What the description of an embedding's tensors says.</summary>
/// <param name="Count">The number of vectors for each text encoder, which is the number of positions that it takes in a prompt.</param>
/// <param name="ClipLWidth">The width of the vectors for CLIP-L.</param>
/// <param name="ClipGWidth">The width of the vectors for CLIP-G.</param>
internal sealed record EmbeddingHeader(int Count, int ClipLWidth, int ClipGWidth);

/// <summary>The content of an embedding.</summary>
/// <param name="Header">The description of its tensors.</param>
/// <param name="ClipL">[count, width of CLIP-L] fp32 vectors.</param>
/// <param name="ClipG">[count, width of CLIP-G] fp32 vectors.</param>
/// <param name="Sha256">SHA-256 of the file, lower-case hex.</param>
internal sealed record EmbeddingContent(EmbeddingHeader Header, float[] ClipL, float[] ClipG, string Sha256);

/// <summary>
/// Reads embeddings (textual inversion) for SDXL: a safetensors file, or one of PyTorch of which nothing is executed, with a tensor
/// <c>clip_l</c> and a tensor <c>clip_g</c>. Embeddings for SD 1.x and 2.x, which have one tensor, are refused by name: AUTOMATIC1111 skips
/// them with SDXL (modules/textual_inversion/textual_inversion.py, EmbeddingDatabase.load_from_file).
/// </summary>
internal static class EmbeddingFile
{
    /// <summary>The tensor of the vectors for CLIP-L.</summary>
    public const string ClipL = "clip_l";

    /// <summary>The tensor of the vectors for CLIP-G.</summary>
    public const string ClipG = "clip_g";

    /// <summary>
    /// The most vectors, which are the positions of one chunk. AUTOMATIC1111 fails with more, because it places all in one chunk.
    /// </summary>
    public const int MostVectors = TextChunk.Capacity;

    // AUTOMATIC1111 and kohya save a dictionary of this name, and kohya's safetensors have a tensor of the other one.
    private const string OldDictionary = "string_to_param.";
    private const string OldTensor = "emb_params";

    private const int WidthOfSd1 = 768;
    private const int WidthOfSd2 = 1024;
    private const int LargestWidth = 1 << 16;

    // 75 vectors take 1.2 MB in fp64. The whole file is read for its digest.
    private const long MostBytes = 64 << 20;

    /// <summary>Reads the description of the tensors alone.</summary>
    /// <param name="path">Path of the file.</param>
    /// <exception cref="CheckpointException">The file cannot be read, or is no embedding for SDXL. Each cause has its own type.</exception>
    public static EmbeddingHeader Inspect(string path)
    {
        using TensorFile file = TensorFile.Open(path);
        return Inspect(file);
    }

    /// <summary>Reads an embedding.</summary>
    /// <param name="path">Path of the file.</param>
    /// <exception cref="CheckpointException">The file cannot be read, or is no embedding for SDXL. Each cause has its own type.</exception>
    public static EmbeddingContent Read(string path)
    {
        using TensorFile file = TensorFile.Open(path);
        EmbeddingHeader header = Inspect(file);
        string digest = Digest(path);
        var content = new EmbeddingContent(header, Vectors(file, ClipL, header), Vectors(file, ClipG, header), digest);
        // The digest must be that of the vectors. A file that is replaced by renaming another stays open as it was.
        if (Digest(path) != digest || new FileInfo(path).Length != file.Bytes) throw new EmbeddingChangedException(path);
        return content;
    }

    private static EmbeddingHeader Inspect(TensorFile file)
    {
        if (!file.Tensors.TryGetValue(ClipL, out SafetensorsTensor? l) || !file.Tensors.TryGetValue(ClipG, out SafetensorsTensor? g))
            throw KindOf(file);
        if (file.Bytes > MostBytes)
            throw new EmbeddingKindException(file.Path, Invariant($"a file of {file.Bytes:N0} bytes, more than an embedding has"));
        (int countL, int widthL) = Size(file, l);
        (int countG, int widthG) = Size(file, g);
        if (countL != countG)
        {
            string expected = Invariant($"as many vectors as {ClipG}, which has {countG}");
            throw new EmbeddingShapeException(file.Path, ClipL, l.Shape, expected);
        }

        return new EmbeddingHeader(countL, widthL, widthG);
    }

    // A tensor of one dimension is one vector (ComfyUI, comfy/sd1_clip.py, tokenize_with_weights).
    private static (int Count, int Width) Size(TensorFile file, SafetensorsTensor tensor)
    {
        if (tensor.WeightType is null) throw new TensorTypeException(file.Path, tensor.Name, tensor.TypeName);
        (long count, long width) = tensor.Shape switch
        {
            [var only] => (1, only),
            [var rows, var columns] => (rows, columns),
            _ => (0, 0),
        };
        if (count is < 1 or > MostVectors || width is < 1 or > LargestWidth)
        {
            string expected = Invariant($"[vectors, width], with 1 to {MostVectors} vectors");
            throw new EmbeddingShapeException(file.Path, tensor.Name, tensor.Shape, expected);
        }

        return ((int)count, (int)width);
    }

    private static float[] Vectors(TensorFile file, string name, EmbeddingHeader header)
    {
        float[] vectors = file.ReadFloats(name);
        int wrong = vectors.AsSpan().IndexOfAnyExceptInRange(float.MinValue, float.MaxValue);
        if (wrong < 0) return vectors;
        (int row, int column) = Math.DivRem(wrong, vectors.Length / header.Count);
        throw new EmbeddingValueException(file.Path, name, row, column, vectors[wrong]);
    }

    private static string Digest(string path)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            return Sha256.Hash(stream);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointUnreadableException(path, exception);
        }
    }

    private static EmbeddingKindException KindOf(TensorFile file)
    {
        IReadOnlyCollection<string> names = [.. file.Tensors.Keys];
        if (names.Contains(ClipL) || names.Contains(ClipG))
        {
            string missing = names.Contains(ClipL) ? ClipG : ClipL;
            return new EmbeddingKindException(file.Path, $"an embedding without the tensor {missing}");
        }

        SafetensorsTensor? old = file.Tensors.Values.FirstOrDefault(tensor =>
            tensor.Name == OldTensor || tensor.Name.StartsWith(OldDictionary, StringComparison.Ordinal));
        // A file of diffusers holds one tensor under the name of its token.
        old ??= file.Tensors.Count == 1 && file.Tensors.Values.Single() is { Shape.Count: 1 or 2 } only ? only : null;
        if (old is null) return new EmbeddingKindException(file.Path, Describe(names));
        string? model = old.Shape is [.., var width] ? ModelOf(width) : null;
        return model is null
            ? new EmbeddingKindException(file.Path, $"a file of the tensor '{SafetensorsHeader.Shorten(old.Name)}'")
            : new EmbeddingKindException(file.Path, $"an embedding for {model}", model);
    }

    private static string? ModelOf(long width) => width switch
    {
        WidthOfSd1 => "SD 1.x",
        WidthOfSd2 => "SD 2.x",
        _ => null,
    };

    private static string Describe(IReadOnlyCollection<string> names) => names.Count == 0
        ? "a file without tensors"
        : Invariant($"a file of {names.Count} tensors, such as '{SafetensorsHeader.Shorten(names.First())}'");
}
