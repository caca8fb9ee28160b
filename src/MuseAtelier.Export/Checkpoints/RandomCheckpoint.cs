using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Text.Json;
using MuseAtelier.Packages;

namespace MuseAtelier.Export.Checkpoints;

/// <summary>
/// Writes a checkpoint of random weights for measuring speed and memory where the real one is not at hand: neither depends on the values.
/// One block of normal numbers is drawn once; every tensor takes it from a place of its own, scaled so that activations stay within fp16.
/// </summary>
public static class RandomCheckpoint
{
    // A prime: no row length divides it, so the rows of a matrix start at different places of the block and the matrix keeps its rank.
    private const int BlockElements = 1_048_573;

    private static readonly string[] ResidualOutputs = ["to_out", "ff.net.2", "proj_out", "out_layers.3", "conv2", "c_proj", "fc2", "out_proj"];

    /// <summary>Reads tensor names and shapes from a JSON object of arrays, in its order.</summary>
    /// <param name="path">Path of the JSON file.</param>
    /// <exception cref="ShapeListException">The file cannot be read, or is no such list.</exception>
    public static IReadOnlyList<KeyValuePair<string, IReadOnlyList<long>>> ReadShapes(string path)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
            return
            [
                .. document.RootElement.EnumerateObject().Select(static property =>
                    KeyValuePair.Create<string, IReadOnlyList<long>>(property.Name, [.. property.Value.EnumerateArray().Select(static size => size.GetInt64())])),
            ];
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or FormatException or IOException or UnauthorizedAccessException)
        {
            throw new ShapeListException(path, exception);
        }
    }

    /// <summary>Writes the file.</summary>
    /// <param name="path">Path of the file.</param>
    /// <param name="shapes">Names and shapes of the tensors, in the order in which they are written.</param>
    /// <param name="type">F16, BF16 or F32.</param>
    /// <param name="seed">Seed of the numbers: the same seed gives the same file.</param>
    /// <param name="progress">Told the bytes written so far.</param>
    /// <param name="cancellationToken">Stops the writing and deletes what there is.</param>
    /// <exception cref="CheckpointNotWrittenException">No such folder, no leave to write there, or no room.</exception>
    public static void Write(
        string path,
        IReadOnlyList<KeyValuePair<string, IReadOnlyList<long>>> shapes,
        ElementType type = ElementType.F16,
        ulong seed = 0,
        IProgress<long>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(shapes);
        if (type is not (ElementType.F16 or ElementType.BF16 or ElementType.F32)) throw new ArgumentOutOfRangeException(nameof(type), type, "Weights are F16, BF16 or F32.");
        SafetensorsDeclaration[] tensors = [.. shapes.Select(shape => new SafetensorsDeclaration(shape.Key, IsPositions(shape.Key) ? ElementType.I64 : type, shape.Value))];
        var metadata = new Dictionary<string, string> { ["modelspec.architecture"] = "stable-diffusion-xl-v1-base", ["modelspec.title"] = "random weights" };
        var random = new SplitMix64(seed);
        float[] normals = random.Normals(BlockElements);
        float[] scaled = new float[BlockElements];
        byte[] encoded = new byte[BlockElements * type.Size()];

        try
        {
            using SafetensorsWriter writer = SafetensorsWriter.Create(path, tensors, metadata);
            long written = 0;
            foreach (SafetensorsDeclaration tensor in tensors)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (IsPositions(tensor.Name)) WritePositions(writer, tensor);
                else WriteNormals(writer, tensor, normals, scaled, encoded, (int)(random.Next() % BlockElements), cancellationToken);
                progress?.Report(written += tensor.Bytes);
            }

            writer.Complete();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointNotWrittenException(path, exception);
        }
    }

    private static bool IsPositions(string name) => name.EndsWith("position_ids", StringComparison.Ordinal);

    private static void WritePositions(SafetensorsWriter writer, SafetensorsDeclaration tensor)
    {
        long[] positions = new long[tensor.Elements];
        for (int i = 0; i < positions.Length; i++) positions[i] = i;
        writer.Write(MemoryMarshal.AsBytes<long>(positions));
    }

    private static void WriteNormals(SafetensorsWriter writer, SafetensorsDeclaration tensor, float[] normals, float[] scaled, byte[] encoded, int start, CancellationToken cancellationToken)
    {
        // Converting one block and repeating its bytes is what makes this as fast as the disk.
        (float mean, float deviation) = Distribution(tensor);
        int length = (int)Math.Min(tensor.Elements, BlockElements);
        int head = Math.Min(length, BlockElements - start);
        TensorPrimitives.MultiplyAdd(normals.AsSpan(start, head), deviation, Repeat(mean, scaled.AsSpan(0, head)), scaled.AsSpan(0, head));
        TensorPrimitives.MultiplyAdd(normals.AsSpan(0, length - head), deviation, Repeat(mean, scaled.AsSpan(head, length - head)), scaled.AsSpan(head, length - head));
        Span<byte> block = encoded.AsSpan(0, length * tensor.Type.Size());
        FloatEncoding.Encode(scaled.AsSpan(0, length), tensor.Type, block);
        for (long remaining = tensor.Bytes; remaining > 0; remaining -= block.Length)
        {
            cancellationToken.ThrowIfCancellationRequested();
            writer.Write(block[..(int)Math.Min(block.Length, remaining)]);
        }
    }

    private static ReadOnlySpan<float> Repeat(float value, Span<float> span)
    {
        span.Fill(value);
        return span;
    }

    // Gains near one, biases near zero, and weights by their fan-in, so that a layer's output is about as large as its input;
    // what is added to a residual stream is halved, lest seventy additions overflow.
    private static (float Mean, float Deviation) Distribution(SafetensorsDeclaration tensor)
    {
        if (tensor.Shape.Count == 0) return (4.6f, 0);
        if (tensor.Shape.Count == 1) return (tensor.Name.EndsWith(".weight", StringComparison.Ordinal) ? 1 : 0, 0.05f);
        float deviation = tensor.Name.Contains("embedding", StringComparison.Ordinal) ? 0.02f : 1 / MathF.Sqrt(tensor.Elements / tensor.Shape[0]);
        return (0, ResidualOutputs.Any(part => tensor.Name.Contains(part, StringComparison.Ordinal)) ? deviation / 2 : deviation);
    }

    /// <summary>Steele, Lea and Flood's SplitMix64 (OOPSLA 2014): a fixed sequence on every runtime, which System.Random does not promise.</summary>
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
                // Box-Muller; the first uniform lies in (0, 1], so that its logarithm is finite.
                double radius = Math.Sqrt(-2 * Math.Log(((Next() >> 11) + 1) * Unit));
                (double sine, double cosine) = Math.SinCos(Math.Tau * ((Next() >> 11) * Unit));
                values[i] = (float)(radius * cosine);
                if (i + 1 < count) values[i + 1] = (float)(radius * sine);
            }

            return values;
        }
    }
}

/// <summary>A file is no list of tensor shapes.</summary>
public sealed class ShapeListException(string path, Exception inner)
    : MuseAtelierException($"{path} is no list of shapes ({inner.Message.TrimEnd('.')})", "a JSON object with an array of sizes for each tensor's name", "Take tests/goldens/sdxl_keys.json as an example.", inner)
{
    /// <summary>Path of the file.</summary>
    public string Path { get; } = path;
}
