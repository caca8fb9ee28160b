using MuseAtelier.Export.Checkpoints;
using static System.FormattableString;

namespace MuseAtelier.Checking;

/// <summary>
/// A safetensors file of reference values. It has one of two naming schemes: several small cases of each part (<c>text.I.hidden_l</c>,
/// <c>unet.sq.x</c>, <c>vae.sq.latent</c>), with prompts and ids in a JSON file beside it; or one case of each part (<c>text.ids_l</c>,
/// <c>unet.sample</c>, <c>vae.latent</c>). Every call reads its values from the file; none are kept.
/// </summary>
internal sealed class ReferenceValues : IDisposable
{
    private const int MostTexts = 1024;

    private readonly SafetensorsFile _file;

    private ReferenceValues(SafetensorsFile file, ReferenceNotes? notes) => (_file, Notes) = (file, notes);

    public string Path => _file.Path;

    /// <summary>The prompts and their ids; null if there is no JSON file beside the values.</summary>
    public ReferenceNotes? Notes { get; }

    public static ReferenceValues Open(string path)
    {
        SafetensorsFile file = SafetensorsFile.Open(path);
        try
        {
            return new ReferenceValues(file, ReferenceNotes.ReadBeside(path));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>The texts that have ids and values, in either scheme.</summary>
    public IEnumerable<TextCase> Texts()
    {
        if (Has("text.ids_l", "text.ids_g"))
        {
            float[] idsL = Floats("text.ids_l");
            float[] idsG = Floats("text.ids_g");
            int rows = Rows("text.ids_l");
            for (int row = 0; row < rows; row++)
            {
                yield return new TextCase(
                    Ids(idsL, row, rows),
                    Ids(idsG, row, rows),
                    Row("text.hidden_l", row),
                    Row("text.hidden_g", row),
                    Row("text.pooled", row));
            }
        }

        for (int i = 0; i < (Notes?.Prompts.Count ?? 0); i++)
        {
            string prefix = Invariant($"text.{i}");
            if (!Has($"{prefix}.hidden_l") && !Has($"{prefix}.hidden_g.pad_0")) continue;
            yield return new TextCase(
                Notes!.IdsL[i],
                Notes.IdsG[i],
                Row($"{prefix}.hidden_l", 0),
                Row($"{prefix}.hidden_g.pad_0", 0),
                Row($"{prefix}.pooled.pad_0", 0));
        }
    }

    /// <summary>The names of the tensors of each prediction.</summary>
    public IEnumerable<UNetCase> UNetCalls()
    {
        foreach (string prefix in Prefixes("unet.", ".noise"))
        {
            string input = Has($"{prefix}.sample") ? "sample" : "x";
            var call = new UNetCase(
                $"{prefix}.{input}",
                $"{prefix}.timestep",
                $"{prefix}.context",
                $"{prefix}.pooled",
                $"{prefix}.time_ids",
                $"{prefix}.noise");
            if (Has(call.Latents, call.Timestep, call.Context, call.Pooled, call.TimeIds)) yield return call;
        }
    }

    /// <summary>The names of each latent and of the picture that it decodes to.</summary>
    public IEnumerable<(string Latent, string Image)> Decodings() =>
        Prefixes("vae.", ".image")
            .Where(prefix => Has($"{prefix}.latent"))
            .Select(prefix => ($"{prefix}.latent", $"{prefix}.image"));

    /// <summary>The names of each encoded picture and of its mean, which is multiplied by the latent scale.</summary>
    public IEnumerable<(string Image, string Mean)> Encodings() =>
        Prefixes("vae.", ".encode_mean")
            .Where(prefix => Has($"{prefix}.encode_in"))
            .Select(prefix => ($"{prefix}.encode_in", $"{prefix}.encode_mean"));

    /// <summary>The names of the conditioning of the whole run; null if the file has no run.</summary>
    public RunCase? Run()
    {
        if (!Has("run.x0", "run.step_noise", "run.latents")) return null;
        // Old single-case files reuse the UNet case's conditioning. No file stores the guidance scale: old files used 7, new ones 5.
        bool hasOwn = Has("run.context", "run.pooled", "run.time_ids");
        string prefix = hasOwn ? "run" : "unet";
        return Has($"{prefix}.context", $"{prefix}.pooled", $"{prefix}.time_ids")
            ? new RunCase($"{prefix}.context", $"{prefix}.pooled", $"{prefix}.time_ids", GuidanceScale: hasOwn ? 5 : 7, Has("run.image"))
            : null;
    }

    public bool Has(params ReadOnlySpan<string> names)
    {
        foreach (string name in names)
            if (!_file.Tensors.ContainsKey(name)) return false;
        return true;
    }

    public IReadOnlyList<long> Shape(string name) => Tensor(name).Shape;

    /// <summary>The number of values of a tensor.</summary>
    public long Elements(string name) => Tensor(name).Elements;

    /// <summary>Refuses a tensor whose type is not supported. The size of such a tensor cannot be checked either.</summary>
    public void RequireReadable(string name)
    {
        SafetensorsTensor tensor = Tensor(name);
        if (tensor.Type is null && tensor.TypeName != "F64") throw new TensorTypeException(Path, name, tensor.TypeName);
    }

    /// <summary>Checks the ids of texts, [texts, positions], and returns the number of texts.</summary>
    public long CheckIds(string name, int positions)
    {
        RequireReadable(name);
        if (Shape(name) is not [>= 1 and <= MostTexts, long length] || length != positions)
            throw ShapeException(name, Invariant($"[1 to {MostTexts} texts, {positions}]"));
        foreach (float id in Floats(name))
        {
            if (!ReferenceNotes.IsId(id))
                throw new ReferenceValueException(Path, name, id, Invariant($"ids from 0 to {ReferenceNotes.LastId}"));
        }

        return Shape(name)[0];
    }

    /// <summary>Reads all values of a tensor.</summary>
    public float[] Floats(string name) => _file.ReadFloats(name);

    /// <summary>Reads values of a tensor from the given element on, until the destination is full.</summary>
    public void Read(string name, long start, Span<float> destination)
    {
        if (start + destination.Length > Elements(name))
            throw ShapeException(name, Invariant($"at least {start + destination.Length} values"));
        _file.ReadFloats(Tensor(name), start, destination);
    }

    /// <summary>Refuses a tensor whose shape differs from the model's, or whose type is not supported.</summary>
    public void Expect(string name, params long[] shape)
    {
        RequireReadable(name);
        if (!Shape(name).SequenceEqual(shape)) throw ShapeException(name, Invariant($"[{string.Join(", ", shape)}]"));
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private ReferenceShapeException ShapeException(string name, string expected) => new(Path, name, Shape(name), expected);

    private SafetensorsTensor Tensor(string name) =>
        _file.Tensors.TryGetValue(name, out SafetensorsTensor? tensor)
            ? tensor
            : throw new MissingTensorsException(Path, [new TensorMismatch(name, null, null)]);

    private IEnumerable<string> Prefixes(string start, string end) =>
        _file.Tensors.Keys
            .Where(name => name.StartsWith(start, StringComparison.Ordinal) && name.EndsWith(end, StringComparison.Ordinal))
            .Select(name => name[..^end.Length])
            .Order(StringComparer.Ordinal);

    private int Rows(string name) =>
        Shape(name) is [long rows, _] ? (int)rows : throw ShapeException(name, "one row of ids for each text");

    private static int[] Ids(float[] all, int row, int rows)
    {
        int length = all.Length / rows;
        return Array.ConvertAll(all[(row * length)..((row + 1) * length)], id => (int)id);
    }

    private float[]? Row(string name, int row)
    {
        if (!Has(name)) return null;
        if (Shape(name) is not [long rows, ..] || row >= rows) throw ShapeException(name, "one row for each text");
        float[] values = new float[Elements(name) / rows];
        Read(name, (long)row * values.Length, values);
        return values;
    }
}

/// <summary>A text's ids and the expected outputs of the encoders; null for a tensor that the file lacks.</summary>
internal sealed record TextCase(int[] IdsL, int[] IdsG, float[]? HiddenL, float[]? HiddenG, float[]? Pooled);

/// <summary>The names of the tensors of one prediction.</summary>
internal sealed record UNetCase(string Latents, string Timestep, string Context, string Pooled, string TimeIds, string Noise);

/// <summary>The names of a whole run's conditioning, its guidance scale, and whether the file has its picture.</summary>
internal sealed record RunCase(string Context, string Pooled, string TimeIds, float GuidanceScale, bool HasImage);
