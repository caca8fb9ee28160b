using MuseAtelier.Export.Loras;
using MuseAtelier.Format;

namespace MuseAtelier.Tests.Loras;

/// <summary>The change of each family against a direct computation in double, in every layout.</summary>
public sealed class LoraFamilyTests
{
    private const string Linear = "input_blocks.1.1.transformer_blocks.0.attn1.to_q";
    private const string Convolution = "input_blocks.1.0.in_layers.2";
    private const string LinearName = "lora_unet_input_blocks_1_1_transformer_blocks_0_attn1_to_q";
    private const string ConvolutionName = "lora_unet_input_blocks_1_0_in_layers_2";
    private const int Out = 12, In = 10, Plane = 9;

    [Theory]
    [InlineData(false, WeightLayout.Stored, ElementType.F32)]
    [InlineData(false, WeightLayout.Stored, ElementType.F16)]
    [InlineData(false, WeightLayout.Stored, ElementType.BF16)]
    [InlineData(false, WeightLayout.Transposed, ElementType.F32)]
    [InlineData(true, WeightLayout.Stored, ElementType.F32)]
    [InlineData(true, WeightLayout.ChannelsLast, ElementType.F32)]
    [InlineData(true, WeightLayout.ChannelsLast, ElementType.F16)]
    internal void EachFamilyIsADirectComputation(bool isConvolution, WeightLayout layout, ElementType type)
    {
        foreach (string family in (string[])["lora", "lora alpha", "locon cp", "loha", "loha core", "lokr full", "lokr w2 split",
            "lokr w1 split", "lokr both split", "lokr core", "glora", "glora old", "diff", "set"])
        {
            foreach (string dora in (string[])["", "rows", "channels", "vector"])
            {
                bool isKernel = family.EndsWith("core", StringComparison.Ordinal) || family == "locon cp";
                bool isAlone = family is "diff" or "set";
                if ((isKernel && !isConvolution) || (isAlone && dora.Length > 0) || (family == "glora old" && isConvolution)) continue;
                Check(family, dora, isConvolution, layout, type);
            }
        }
    }

    private static void Check(string family, string dora, bool isConvolution, WeightLayout layout, ElementType type)
    {
        const float Strength = 0.7f;
        using LoraModel model = new LoraModel().WithMarks();
        long[] shape = isConvolution ? [Out, In, 3, 3] : layout == WeightLayout.Transposed ? [In, Out] : [Out, In];
        // The shape of the weight in the package.
        long[] stored = layout == WeightLayout.ChannelsLast ? [Out, 3, 3, In] : layout == WeightLayout.Transposed ? [In, Out] : shape;
        string key = LoraModel.UNet + (isConvolution ? Convolution : Linear) + ".weight";
        WeightSpec weight = model.Add(ComponentNames.UNet, key, stored, layout, type);
        string name = isConvolution ? ConvolutionName : LinearName;
        (LoraTensorData[] tensors, Func<double[], double[]> change) = Family(model, name, family, isConvolution);
        (LoraTensorData[] magnitudes, Func<double[], double[], double[]> decompose) = Dora(model, name, dora, isConvolution);
        LoraFile file = model.File([.. tensors, .. magnitudes]);
        LoraSet set = model.Set(new LoraUse(file, Strength, 1));
        Assert.Empty(set.Notices);
        Assert.True(set.Touches(weight));

        (double[] before, float[] after) = LoraModel.Merge(set, weight, model.Values(weight.Elements));
        double[] delta = change(before);
        double[] changed = [.. before.Zip(delta, (w, d) => w + d)];
        double[] expected = decompose(before, changed);
        for (int i = 0; i < expected.Length; i++) expected[i] = before[i] + (family == "set" ? 1 : Strength) * (expected[i] - before[i]);
        double size = expected.Max(Math.Abs);
        double worst = expected.Zip(after, (a, b) => Math.Abs(a - b)).Max() / size;
        Assert.True(worst <= 1e-6, $"{family} {dora} {layout} {type}: {worst}");
        Assert.True(delta.Max(Math.Abs) > 0.01);
    }

    private static (LoraTensorData[] Tensors, Func<double[], double[]> Change) Family(
        LoraModel model, string name, string family, bool isConvolution)
    {
        const int Rank = 3;
        const float Alpha = 1.5f;
        long[] kernel = isConvolution ? [3, 3] : [];
        long[] pixel = isConvolution ? [1, 1] : [];
        int columns = isConvolution ? In * Plane : In;
        var alpha = new LoraTensorData($"{name}.alpha", [], [Alpha]);
        LoraTensorData T(string end, params long[] shape) => model.Tensor($"{name}.{end}", shape);
        switch (family)
        {
            case "lora" or "lora alpha":
                {
                    LoraTensorData up = T("lora_up.weight", [Out, Rank, .. pixel]), down = T("lora_down.weight", [Rank, In, .. kernel]);
                    double scale = family == "lora" ? 1 : Alpha / Rank;
                    LoraTensorData[] all = family == "lora" ? [up, down] : [up, down, alpha];
                    return (all, _ => Fill(columns, (o, c) => scale * Sum(Rank, k => At(up, o, k, Rank) * At(down, k, c, columns))));
                }

            case "locon cp":
                {
                    LoraTensorData up = T("lora_up.weight", Out, Rank, 1, 1), down = T("lora_down.weight", Rank, In, 1, 1);
                    LoraTensorData mid = T("lora_mid.weight", Rank, Rank, 3, 3);
                    return ([up, down, mid, alpha], _ => Fill(columns, (o, c) => Alpha / Rank * Sum(Rank, i => Sum(Rank, j =>
                        At(up, o, i, Rank) * At(down, j, c / Plane, In) * mid.Values[(i * Rank + j) * Plane + c % Plane]))));
                }

            case "loha":
                {
                    LoraTensorData a1 = T("hada_w1_a", Out, Rank), b1 = T("hada_w1_b", Rank, columns);
                    LoraTensorData a2 = T("hada_w2_a", Out, Rank), b2 = T("hada_w2_b", Rank, columns);
                    return ([a1, b1, a2, b2, alpha], _ => Fill(columns, (o, c) =>
                        Alpha / Rank * Product(a1, b1, Rank, o, c, columns) * Product(a2, b2, Rank, o, c, columns)));
                }

            case "loha core":
                {
                    LoraTensorData a1 = T("hada_w1_a", Rank, Out), b1 = T("hada_w1_b", Rank, In), t1 = T("hada_t1", Rank, Rank, 3, 3);
                    LoraTensorData a2 = T("hada_w2_a", Rank, Out), b2 = T("hada_w2_b", Rank, In), t2 = T("hada_t2", Rank, Rank, 3, 3);
                    return ([a1, b1, t1, a2, b2, t2, alpha], _ => Fill(columns, (o, c) =>
                        Alpha / Rank * Core(t1, a1, b1, Rank, Out, In, o, c) * Core(t2, a2, b2, Rank, Out, In, o, c)));
                }

            default: return Others(model, name, family, isConvolution, alpha, Alpha);
        }
    }

    private static (LoraTensorData[] Tensors, Func<double[], double[]> Change) Others(
        LoraModel model, string name, string family, bool isConvolution, LoraTensorData alpha, double alphaValue)
    {
        const int Rank = 3;
        long[] kernel = isConvolution ? [3, 3] : [];
        long[] pixel = isConvolution ? [1, 1] : [];
        int columns = isConvolution ? In * Plane : In;
        LoraTensorData T(string end, params long[] shape) => model.Tensor($"{name}.{end}", shape);
        switch (family)
        {
            case "glora":
                {
                    LoraTensorData a1 = T("a1.weight", [In, Rank, .. pixel]), a2 = T("a2.weight", [Rank, In, .. pixel]);
                    LoraTensorData b1 = T("b1.weight", [Out, Rank, .. pixel]), b2 = T("b2.weight", [Rank, In, .. kernel]);
                    return ([a1, a2, b1, b2, alpha], w => Fill(columns, (o, c) => alphaValue / Rank * (Product(b1, b2, Rank, o, c, columns)
                        + Mixed(w, columns, o, c, (i, j) => Sum(Rank, k => At(a1, i, k, Rank) * At(a2, k, j, In))))));
                }

            case "glora old":
                {
                    LoraTensorData a1 = T("a1.weight", Rank, In), a2 = T("a2.weight", In, Rank);
                    LoraTensorData b1 = T("b1.weight", Rank, In), b2 = T("b2.weight", Out, Rank);
                    return ([a1, a2, b1, b2, alpha], w => Fill(columns, (o, c) => alphaValue / Rank * (Product(b2, b1, Rank, o, c, columns)
                        + Mixed(w, columns, o, c, (i, j) => Sum(Rank, k => At(a2, i, k, Rank) * At(a1, k, j, In))))));
                }

            case "diff" or "set":
                {
                    LoraTensorData full = T(family == "diff" ? "diff" : "set_weight", [Out, In, .. kernel]);
                    return ([full, alpha],
                        w => Fill(columns, (o, c) => At(full, o, c, columns) - (family == "set" ? w[o * columns + c] : 0)));
                }

            default: return Lokr(model, name, family, isConvolution, alpha, alphaValue);
        }
    }

    // w1 is 3 x 2 and w2 4 x 5, with the kernel where there is one.
    private static (LoraTensorData[] Tensors, Func<double[], double[]> Change) Lokr(
        LoraModel model, string name, string family, bool isConvolution, LoraTensorData alpha, double alphaValue)
    {
        const int Rank = 2;
        LoraTensorData T(string end, params long[] shape) => model.Tensor($"{name}.{end}", shape);
        int plane = isConvolution ? Plane : 1, columns = In * plane, secondColumns = 5 * plane;
        bool isFirstSplit = family is "lokr w1 split" or "lokr both split", hasCore = family == "lokr core";
        bool isSecondSplit = family is "lokr w2 split" or "lokr both split";
        LoraTensorData[] first = isFirstSplit ? [T("lokr_w1_a", 3, Rank), T("lokr_w1_b", Rank, 2)] : [T("lokr_w1", 3, 2)];
        LoraTensorData[] second = hasCore ? [T("lokr_w2_a", Rank, 4), T("lokr_w2_b", Rank, 5), T("lokr_t2", Rank, Rank, 3, 3)]
            : isSecondSplit ? [T("lokr_w2_a", 4, Rank), T("lokr_w2_b", Rank, secondColumns)]
            : [T("lokr_w2", isConvolution ? [4, 5, 3, 3] : [4, 5])];
        double scale = family == "lokr full" ? 1 : alphaValue / Rank;
        return ([.. first, .. second, alpha], _ => Fill(columns, (o, c) => scale * First(o / 4, c / secondColumns)
            * Second(o % 4, c % secondColumns)));

        double First(int o, int c) => isFirstSplit ? Product(first[0], first[1], Rank, o, c, 2) : At(first[0], o, c, 2);

        double Second(int o, int c) => hasCore ? Core(second[2], second[0], second[1], Rank, 4, 5, o, c)
            : isSecondSplit ? Product(second[0], second[1], Rank, o, c, secondColumns)
            : At(second[0], o, c, secondColumns);
    }

    private static (LoraTensorData[] Tensors, Func<double[], double[], double[]> Decompose) Dora(
        LoraModel model, string name, string kind, bool isConvolution)
    {
        int plane = isConvolution ? Plane : 1, columns = In * plane;
        long[] pixel = isConvolution ? [1, 1] : [];
        if (kind.Length == 0) return ([], (_, changed) => changed);
        bool isRows = kind != "channels";
        long[] shape = kind == "vector" ? [Out] : isRows ? [Out, 1, .. pixel] : [1, In, .. pixel];
        LoraTensorData magnitude = model.Tensor(kind == "vector" ? $"{name}.lora_magnitude_vector" : $"{name}.dora_scale", shape);
        return ([magnitude], (before, changed) => Fill(columns, (o, c) =>
        {
            double[] measured = kind == "rows" ? before : changed;
            double squares = isRows ? Sum(columns, j => Square(measured[o * columns + j]))
                : Sum(Out, i => Sum(plane, p => Square(measured[i * columns + c / plane * plane + p])));
            return changed[o * columns + c] * magnitude.Values[isRows ? o : c / plane] / (Math.Sqrt(squares) + 1.1920929e-7);
        }));
    }

    private static double[] Fill(int columns, Func<int, int, double> value)
    {
        double[] filled = new double[Out * columns];
        for (int i = 0; i < filled.Length; i++) filled[i] = value(i / columns, i % columns);
        return filled;
    }

    private static double Mixed(double[] weight, int columns, int row, int column, Func<int, int, double> mix)
    {
        int plane = columns / In;
        return Sum(In, i => weight[row * columns + i * plane + column % plane] * mix(i, column / plane));
    }

    private static double Product(LoraTensorData left, LoraTensorData right, int rank, int row, int column, int columns) =>
        Sum(rank, k => At(left, row, k, rank) * At(right, k, column, columns));

    private static double Core(
        LoraTensorData core, LoraTensorData left, LoraTensorData right, int rank, int rows, int inputs, int row, int column) =>
        Sum(rank, i => Sum(rank, j => At(left, i, row, rows) * At(right, j, column / Plane, inputs)
            * core.Values[(i * rank + j) * Plane + column % Plane]));

    private static double At(LoraTensorData tensor, int row, int column, int columns) => tensor.Values[row * columns + column];

    private static double Sum(int count, Func<int, double> term)
    {
        double sum = 0;
        for (int i = 0; i < count; i++) sum += term(i);
        return sum;
    }

    private static double Square(double value) => value * value;
}
