using System.Runtime.InteropServices;
using MuseAtelier.Tests.Support;
using static System.FormattableString;

namespace MuseAtelier.Tests.Upscaling;

/// <summary>Small upscalers with random weights, under the names of the programs that train them.</summary>
internal static class MadeUpUpscaler
{
    private const int Features = 8;
    private const int Growth = 4;
    private const int Blocks = 2;

    /// <summary>An RRDB network under the names of Real-ESRGAN.</summary>
    /// <param name="unshuffle">The squares of pixels that it reads as channels: 1, 2 or 4 a side.</param>
    public static RawCheckpoint Rrdb(int unshuffle = 1)
    {
        var weights = new Weights(seed: 5 + unshuffle);
        weights.Layer("conv_first", 3 * unshuffle * unshuffle, Features);
        for (int block = 0; block < Blocks; block++)
            for (int dense = 1; dense <= 3; dense++)
                for (int layer = 1; layer <= 5; layer++)
                    weights.Layer(Invariant($"body.{block}.rdb{dense}.conv{layer}"), Features + (layer - 1) * Growth,
                        layer == 5 ? Features : Growth);
        foreach (string name in (string[])["conv_body", "conv_up1", "conv_up2", "conv_hr"]) weights.Layer(name, Features, Features);
        weights.Last("conv_last", Features, 3);
        return weights.Tensors;
    }

    /// <summary>The same network under the names of ESRGAN's first release.</summary>
    public static RawCheckpoint Numbered()
    {
        RawCheckpoint checkpoint = Rrdb();
        checkpoint.Rename(name => name
            .Replace("conv_first", "model.0", StringComparison.Ordinal)
            .Replace("conv_body", Invariant($"model.1.sub.{Blocks}"), StringComparison.Ordinal)
            .Replace("conv_up1", "model.3", StringComparison.Ordinal)
            .Replace("conv_up2", "model.6", StringComparison.Ordinal)
            .Replace("conv_hr", "model.8", StringComparison.Ordinal)
            .Replace("conv_last", "model.10", StringComparison.Ordinal));
        checkpoint.Rename(name =>
        {
            if (!name.StartsWith("body.", StringComparison.Ordinal)) return name;
            string inner = name.Replace("body.", "model.1.sub.", StringComparison.Ordinal)
                .Replace("rdb", "RDB", StringComparison.Ordinal);
            int end = inner.LastIndexOf('.');
            return $"{inner[..end]}.0{inner[end..]}";
        });
        return checkpoint;
    }

    /// <summary>The same network under the names of ESRGAN's second release.</summary>
    public static RawCheckpoint Trunk()
    {
        RawCheckpoint checkpoint = Rrdb();
        checkpoint.Rename(name => name
            .Replace("conv_body", "trunk_conv", StringComparison.Ordinal)
            .Replace("body.", "RRDB_trunk.", StringComparison.Ordinal)
            .Replace("rdb", "RDB", StringComparison.Ordinal)
            .Replace("conv_up", "upconv", StringComparison.Ordinal)
            .Replace("conv_hr", "HRconv", StringComparison.Ordinal));
        return checkpoint;
    }

    /// <summary>A compact network of four convolutions.</summary>
    public static RawCheckpoint Compact(int scale = 4)
    {
        var weights = new Weights(seed: 40 + scale);
        const int layers = 4;
        for (int layer = 0; layer < layers; layer++)
        {
            bool isLast = layer == layers - 1;
            int outputs = isLast ? 3 * scale * scale : Features;
            weights.Layer(Invariant($"body.{2 * layer}"), layer == 0 ? 3 : Features, outputs, isLast ? 0.1 : 1);
            if (!isLast) weights.Slopes(Invariant($"body.{2 * layer + 1}.weight"));
        }

        return weights.Tensors;
    }

    /// <summary>A compact network to twice the size whose activations exceed the range of fp16, while its weights do not.</summary>
    public static RawCheckpoint Overflowing()
    {
        RawCheckpoint checkpoint = Compact(scale: 2);
        const float factorUp = 4096, factorDown = 1 / factorUp;
        (string, float)[] factors = [("body.0", factorUp), ("body.2", factorUp), ("body.4", factorDown), ("body.6", factorDown)];
        foreach ((string name, float factor) in factors)
        {
            float[] kernel = MemoryMarshal.Cast<byte, float>(checkpoint.Tensors[$"{name}.weight"].Bytes).ToArray();
            float[] bias = MemoryMarshal.Cast<byte, float>(checkpoint.Tensors[$"{name}.bias"].Bytes).ToArray();
            // A bias is scaled as the sum that it is added to.
            float scale = name switch { "body.2" => factorUp * factorUp, "body.6" => 1, _ => factorUp };
            checkpoint.SetSingles(
                $"{name}.weight", [.. kernel.Select(value => value * factor)], [.. checkpoint.Tensors[$"{name}.weight"].Shape]);
            checkpoint.SetSingles($"{name}.bias", [.. bias.Select(value => Math.Clamp(value * scale, -60_000, 60_000))], bias.Length);
        }

        return checkpoint;
    }

    /// <summary>Random pixels.</summary>
    public static byte[] Picture(int width, int height, int seed = 1)
    {
        byte[] pixels = new byte[width * height * 3];
        new Random(seed).NextBytes(pixels);
        return pixels;
    }

    private sealed class Weights(int seed)
    {
        private readonly Random _random = new(seed);

        public RawCheckpoint Tensors { get; } = new();

        // The spread that keeps the size of the numbers from layer to layer.
        public void Layer(string name, int inputs, int outputs, double gain = 1)
        {
            double spread = gain * Math.Sqrt(3.0 / (inputs * 9));
            Tensors.SetSingles($"{name}.weight", Numbers(outputs * inputs * 9, spread), outputs, inputs, 3, 3);
            Tensors.SetSingles($"{name}.bias", Numbers(outputs, 0.1), outputs);
        }

        // Results around the middle of the range.
        public void Last(string name, int inputs, int outputs)
        {
            Layer(name, inputs, outputs, gain: 0.5);
            Tensors.SetSingles($"{name}.bias", Enumerable.Repeat(0.5f, outputs).ToArray(), outputs);
        }

        public void Slopes(string name) => Tensors.SetSingles(name, Numbers(Features, 0.5), Features);

        private float[] Numbers(int count, double spread) =>
            [.. Enumerable.Range(0, count).Select(_ => (float)((2 * _random.NextDouble() - 1) * spread))];
    }
}
