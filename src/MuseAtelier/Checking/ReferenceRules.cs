using MuseAtelier.Decoding;
using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Format;
using MuseAtelier.Recipe;
using static System.FormattableString;

namespace MuseAtelier.Checking;

/// <summary>
/// Checks the shapes of a file of reference values against the model, before a value is read or a shape is used, because the file may come
/// from an untrusted source.
/// </summary>
/// <param name="values">The values.</param>
/// <param name="model">The model's sizes.</param>
internal sealed class ReferenceRules(ReferenceValues values, ModelSpec model)
{
    private const int LargestLatent = RequestRules.LargestSide / RequestRules.SizeMultiple;
    private const int TimeIdCount = 6;

    private int ContextWidth => model.ClipLWidth + model.ClipGWidth;

    /// <summary>Checks every tensor that a comparison reads.</summary>
    /// <exception cref="ReferenceException">A tensor has a shape or values that do not fit this model.</exception>
    /// <exception cref="TensorTypeException">A tensor has a type that is not supported.</exception>
    public void Check()
    {
        CheckTexts();
        foreach (UNetCase call in values.UNetCalls()) CheckPrediction(call);
        foreach ((string latent, string image) in values.Decodings()) CheckPicture(latent, image);
        foreach ((string image, string mean) in values.Encodings()) CheckPicture(mean, image);
        if (values.Run() is { } run) CheckRun(run);
    }

    private void CheckTexts()
    {
        if (values.Has("text.ids_l", "text.ids_g"))
        {
            long rows = values.CheckIds("text.ids_l", model.TextLength);
            long others = values.CheckIds("text.ids_g", model.TextLength);
            if (rows != others)
                throw ShapeException("text.ids_g", Invariant($"[{rows}, {model.TextLength}]"));
            CheckRows("text.hidden_l", rows, (long)model.TextLength * model.ClipLWidth);
            CheckRows("text.hidden_g", rows, (long)model.TextLength * model.ClipGWidth);
            CheckRows("text.pooled", rows, model.PooledWidth);
        }

        for (int i = 0; i < (values.Notes?.Prompts.Count ?? 0); i++)
        {
            string prefix = Invariant($"text.{i}");
            CheckRows($"{prefix}.hidden_l", 1, (long)model.TextLength * model.ClipLWidth);
            CheckRows($"{prefix}.hidden_g.pad_0", 1, (long)model.TextLength * model.ClipGWidth);
            CheckRows($"{prefix}.pooled.pad_0", 1, model.PooledWidth);
        }
    }

    // The file may hold more rows than texts. A row may have any shape with the right number of values.
    private void CheckRows(string name, long rows, long rowElements)
    {
        if (!values.Has(name)) return;
        values.RequireReadable(name);
        IReadOnlyList<long> shape = values.Shape(name);
        if (shape.Count == 0 || shape[0] < rows || values.Elements(name) != (Int128)shape[0] * rowElements)
            throw ShapeException(name, Invariant($"{rows} rows or more of {rowElements} values"));
    }

    private void CheckPrediction(UNetCase call)
    {
        (long batch, long height, long width) = CheckLatent(call.Latents, mostRows: 2);
        values.Expect(call.Noise, batch, model.LatentChannels, height, width);
        CheckConditioning(call.Context, call.Pooled, call.TimeIds, batch);
        values.RequireReadable(call.Timestep);
        if (values.Elements(call.Timestep) < 1) throw ShapeException(call.Timestep, "one number or more");
    }

    private void CheckConditioning(string context, string pooled, string timeIds, long rows)
    {
        values.Expect(context, rows, model.TextLength, ContextWidth);
        values.Expect(pooled, rows, model.PooledWidth);
        values.Expect(timeIds, rows, TimeIdCount);
    }

    private void CheckPicture(string latent, string image)
    {
        (_, long height, long width) = CheckLatent(latent, mostRows: 1);
        values.Expect(image, 1, 3, height * LatentGeometry.VaeScaleFactor, width * LatentGeometry.VaeScaleFactor);
    }

    private void CheckRun(RunCase run)
    {
        (_, long height, long width) = CheckLatent("run.x0", mostRows: 1);
        IReadOnlyList<long> shape = values.Shape("run.latents");
        if (shape.Count == 0 || shape[0] is < 1 or > RequestRules.MostSteps)
            throw ShapeException("run.latents", Invariant($"1 to {RequestRules.MostSteps} steps"));
        values.Expect("run.latents", shape[0], 1, model.LatentChannels, height, width);
        values.Expect("run.step_noise", shape[0], 1, model.LatentChannels, height, width);
        CheckConditioning(run.Context, run.Pooled, run.TimeIds, 2);
        if (run.HasImage) values.Expect("run.image", 1, 3, height * LatentGeometry.VaeScaleFactor, width * LatentGeometry.VaeScaleFactor);
    }

    private (long Rows, long Height, long Width) CheckLatent(string name, int mostRows)
    {
        values.RequireReadable(name);
        IReadOnlyList<long> shape = values.Shape(name);
        bool fits = shape.Count == 4
            && shape[0] >= 1
            && shape[0] <= mostRows
            && shape[1] == model.LatentChannels
            && IsSide(shape[2])
            && IsSide(shape[3]);
        if (fits) return (shape[0], shape[2], shape[3]);
        string rows = mostRows == 1 ? "1" : "1 or 2";
        throw ShapeException(name, Invariant($"[{rows}, {model.LatentChannels}, height, width], up to {LargestLatent} a side"));
    }

    private ReferenceShapeException ShapeException(string name, string expected) =>
        new(values.Path, name, values.Shape(name), expected);

    private static bool IsSide(long size) => size is >= 1 and <= LargestLatent;
}
