using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Text.Json;
using MuseAtelier.Format;

namespace MuseAtelier.Export.Checkpoints;

/// <summary>
/// Writes a checkpoint of random weights, with which speed and memory are measured where the real checkpoint is not available: neither
/// depends on the values. One block of normal numbers is generated once. Every tensor reads it from a different start and scales it
/// so that activations stay within the range of fp16.
/// </summary>
internal static class RandomCheckpoint
{
    // A prime, because no row length divides it: the rows of a matrix start at different places in the block and the matrix keeps its rank.
    private const int BlockElements = 1_048_573;

    // The layers whose outputs are added to a residual stream.
    private static readonly string[] ResidualOutputs =
        ["to_out", "ff.net.2", "proj_out", "out_layers.3", "conv2", "c_proj", "fc2", "out_proj"];

    /// <summary>Reads tensor names and shapes from a JSON object of arrays, in the order of the object.</summary>
    /// <param name="path">Path of the JSON file.</param>
    /// <exception cref="ShapeListException">The file cannot be read, or it is not such a list.</exception>
    public static IReadOnlyList<KeyValuePair<string, IReadOnlyList<long>>> ReadShapes(string path)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
            return [.. document.RootElement.EnumerateObject().Select(ReadShape)];
        }
        catch (Exception exception) when (
            exception is JsonException or InvalidOperationException or FormatException or IOException or UnauthorizedAccessException)
        {
            throw new ShapeListException(path, exception);
        }
    }

    /// <summary>Writes the file.</summary>
    /// <param name="path">Path of the file.</param>
    /// <param name="shapes">Names and shapes of the tensors, in the order in which they are written.</param>
    /// <param name="type">F16, BF16 or F32.</param>
    /// <param name="seed">Seed of the numbers: the same seed gives the same file.</param>
    /// <param name="progress">Receives the number of bytes written so far.</param>
    /// <param name="cancellationToken">Cancels the writing; the partial file is deleted.</param>
    /// <exception cref="CheckpointNotWrittenException">The folder does not exist, may not be written to, or has no room.</exception>
    public static void Write(
        string path,
        IReadOnlyList<KeyValuePair<string, IReadOnlyList<long>>> shapes,
        ElementType type = ElementType.F16,
        ulong seed = 0,
        IProgress<long>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(shapes);
        if (type is not (ElementType.F16 or ElementType.BF16 or ElementType.F32))
            throw new ArgumentOutOfRangeException(nameof(type), type, "Weights are F16, BF16 or F32.");
        SafetensorsDeclaration[] tensors = [.. shapes.Select(Declare)];
        var metadata = new Dictionary<string, string>
        {
            ["modelspec.architecture"] = "stable-diffusion-xl-v1-base",
            ["modelspec.title"] = "random weights",
        };
        var random = new SplitMix64(seed);
        var block = new NormalBlock(random.Normals(BlockElements), type);

        try
        {
            using SafetensorsWriter writer = SafetensorsWriter.Create(path, tensors, metadata);
            long written = 0;
            foreach (SafetensorsDeclaration tensor in tensors)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (IsPositions(tensor.Name)) WritePositions(writer, tensor);
                else block.Write(writer, tensor, (int)(random.Next() % BlockElements), cancellationToken);
                progress?.Report(written += tensor.Bytes);
            }

            writer.Complete();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointNotWrittenException(path, exception);
        }

        SafetensorsDeclaration Declare(KeyValuePair<string, IReadOnlyList<long>> shape) =>
            new(shape.Key, IsPositions(shape.Key) ? ElementType.I64 : type, shape.Value);
    }

    private static KeyValuePair<string, IReadOnlyList<long>> ReadShape(JsonProperty property)
    {
        long[] sizes = [.. property.Value.EnumerateArray().Select(static size => size.GetInt64())];
        return KeyValuePair.Create<string, IReadOnlyList<long>>(property.Name, sizes);
    }

    private static bool IsPositions(string name) => name.EndsWith("position_ids", StringComparison.Ordinal);

    private static void WritePositions(SafetensorsWriter writer, SafetensorsDeclaration tensor)
    {
        long[] positions = new long[tensor.Elements];
        for (int i = 0; i < positions.Length; i++) positions[i] = i;
        writer.Write(MemoryMarshal.AsBytes<long>(positions));
    }

    // Gains are near one, biases are near zero, and weights depend on their fan-in, so that a layer's output is about as large as its
    // input. Outputs to a residual stream are halved so that seventy additions do not overflow.
    private static (float Mean, float Deviation) Distribution(SafetensorsDeclaration tensor)
    {
        if (tensor.Shape.Count == 0) return (4.6f, 0);
        if (tensor.Shape.Count == 1) return (tensor.Name.EndsWith(".weight", StringComparison.Ordinal) ? 1 : 0, 0.05f);
        bool isEmbedding = tensor.Name.Contains("embedding", StringComparison.Ordinal);
        float deviation = isEmbedding ? 0.02f : 1 / MathF.Sqrt(tensor.Elements / tensor.Shape[0]);
        bool isResidual = ResidualOutputs.Any(part => tensor.Name.Contains(part, StringComparison.Ordinal));
        return (0, isResidual ? deviation / 2 : deviation);
    }

    /// <summary>The block of normal numbers, and the buffers that hold it scaled and encoded.</summary>
    private sealed class NormalBlock(float[] normals, ElementType type)
    {
        private readonly float[] _scaled = new float[normals.Length];
        private readonly byte[] _encoded = new byte[normals.Length * type.Size()];

        // Converting one block and repeating its bytes makes this as fast as the disk.
        public void Write(SafetensorsWriter writer, SafetensorsDeclaration tensor, int start, CancellationToken cancellationToken)
        {
            (float mean, float deviation) = Distribution(tensor);
            int length = (int)Math.Min(tensor.Elements, normals.Length);
            int head = Math.Min(length, normals.Length - start);
            Scale(normals.AsSpan(start, head), mean, deviation, _scaled.AsSpan(0, head));
            Scale(normals.AsSpan(0, length - head), mean, deviation, _scaled.AsSpan(head, length - head));
            Span<byte> block = _encoded.AsSpan(0, length * type.Size());
            FloatEncoding.Encode(_scaled.AsSpan(0, length), type, block);
            for (long remaining = tensor.Bytes; remaining > 0; remaining -= block.Length)
            {
                cancellationToken.ThrowIfCancellationRequested();
                writer.Write(block[..(int)Math.Min(block.Length, remaining)]);
            }
        }

        private static void Scale(ReadOnlySpan<float> normals, float mean, float deviation, Span<float> scaled)
        {
            scaled.Fill(mean);
            TensorPrimitives.MultiplyAdd(normals, deviation, scaled, scaled);
        }
    }

    /// <summary>
    /// SplitMix64 of Steele, Lea and Flood (OOPSLA 2014). Its sequence is the same on every runtime, which System.Random does not
    /// guarantee.
    /// </summary>
    private struct SplitMix64(ulong seed)
    {
        private const double Unit = 1.0 / (1L << 53);

        private ulong _state = seed;

        public ulong Next()
        {
            ulong z = _state += 0x9E3779B97F4A7C15;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            return z ^ (z >> 31);
        }

        public float[] Normals(int count)
        {
            float[] values = new float[count];
            for (int i = 0; i < count; i += 2)
            {
                // Box-Muller. The first uniform number lies in (0, 1], so that its logarithm is finite.
                double radius = Math.Sqrt(-2 * Math.Log(((Next() >> 11) + 1) * Unit));
                (double sine, double cosine) = Math.SinCos(Math.Tau * ((Next() >> 11) * Unit));
                values[i] = (float)(radius * cosine);
                if (i + 1 < count) values[i + 1] = (float)(radius * sine);
            }

            return values;
        }
    }
}

/// <summary>A file is not a list of tensor shapes.</summary>
internal sealed class ShapeListException(string path, Exception inner)
    : MuseAtelierException(
        $"{path} is no list of shapes ({inner.Message.TrimEnd('.')})",
        "a JSON object with an array of sizes for each tensor's name",
        "Take tests/goldens/sdxl_keys.json as an example.",
        inner)
{
    /// <summary>Path of the file.</summary>
    public string Path { get; } = path;
}
