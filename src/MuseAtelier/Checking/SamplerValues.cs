using System.Text.Json;
using MuseAtelier.Export.Checkpoints;
using static System.FormattableString;

namespace MuseAtelier.Checking;

/// <summary>A file of reference values of samplers, with the JSON file beside it. Every call reads its values from the file.</summary>
internal sealed class SamplerValues : IDisposable
{
    /// <summary>The most values of a picture's latents: those of 2048x2048 px.</summary>
    public const int MostLatents = 4 * 256 * 256;

    private const int MostNotes = 16 << 20;
    private const int MostTensors = 100_000;

    // The draws and the steps of 1000 steps at 8x8 fit many times over.
    private const long MostValues = 1 << 26;

    private readonly SafetensorsFile _file;
    private readonly JsonDocument _notes;

    private SamplerValues(SafetensorsFile file, JsonDocument notes) => (_file, _notes) = (file, notes);

    /// <summary>The names of all tensors.</summary>
    public IEnumerable<string> Names => _file.Tensors.Keys;

    /// <summary>The JSON file: an object with an entry for each run.</summary>
    public JsonElement Notes => _notes.RootElement;

    /// <summary>Opens a file.</summary>
    /// <exception cref="SamplerValuesException">The JSON file is missing or unusable, or there are too many tensors.</exception>
    /// <exception cref="MuseAtelierException">The file cannot be read.</exception>
    public static SamplerValues Open(string path)
    {
        SafetensorsFile file = SafetensorsFile.Open(path);
        try
        {
            if (file.Tensors.Count > MostTensors)
            {
                throw new SamplerValuesException(
                    path, Invariant($"{path} has {file.Tensors.Count} tensors"), Invariant($"at most {MostTensors}"));
            }

            return new SamplerValues(file, ReadNotes(path));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Whether the file has a tensor.</summary>
    public bool Has(string name) => _file.Tensors.ContainsKey(name);

    /// <summary>A tensor's shape.</summary>
    /// <exception cref="SamplerValuesException">The file has no such tensor.</exception>
    public IReadOnlyList<long> Shape(string name) => Tensor(name).Shape;

    /// <summary>The values of a list: one dimension.</summary>
    /// <exception cref="SamplerValuesException">The tensor is not such.</exception>
    public float[] List(string name)
    {
        if (Shape(name) is not [>= 1 and <= RequestRules.MostSteps * 2 + 2]) throw Refusal(name, "one dimension of at most 2002 values");
        return Floats(name);
    }

    /// <summary>The values of one picture's latents: [1, channels, h, w].</summary>
    /// <exception cref="SamplerValuesException">The tensor is not such.</exception>
    public float[] Latents(string name)
    {
        if (Shape(name) is not [1, _, _, _] || Tensor(name).Elements is < 1 or > MostLatents)
            throw Refusal(name, Invariant($"[1, channels, h, w] with at most {MostLatents} values"));
        return Floats(name);
    }

    /// <summary>The values of a tensor with a known number of them.</summary>
    /// <exception cref="SamplerValuesException">The tensor is not such.</exception>
    public float[] Floats(string name, int count) =>
        Tensor(name).Elements == count ? Floats(name) : throw Refusal(name, Invariant($"{count} values"));

    /// <summary>The values of a number of latents, one after the other: [count, 1, channels, h, w].</summary>
    /// <param name="name">The tensor's name.</param>
    /// <param name="count">The number of latents.</param>
    /// <exception cref="SamplerValuesException">The tensor is not such.</exception>
    public float[] Rows(string name, int count)
    {
        bool fits = Shape(name) is [var rows, 1, _, _, _] && rows == count
            && Tensor(name).Elements >= count && Tensor(name).Elements / count <= MostLatents;
        return fits ? Floats(name) : throw Refusal(name, Invariant($"[{count}, 1, channels, h, w]"));
    }

    /// <summary>The values of several latents, one after the other: [count, 1, channels, h, w].</summary>
    /// <param name="name">The tensor's name.</param>
    /// <param name="length">The values of each.</param>
    /// <exception cref="SamplerValuesException">The tensor is not such.</exception>
    public float[] Series(string name, int length)
    {
        SafetensorsTensor tensor = Tensor(name);
        bool fits = tensor.Shape is [>= 0 and <= RequestRules.MostSteps * 8, 1, _, _, _] && tensor.Elements == tensor.Shape[0] * length;
        if (!fits) throw Refusal(name, Invariant($"[count, 1, channels, h, w] with {length} values each"));
        return Floats(name);
    }

    /// <summary>All values of a tensor, which are finite and fp32.</summary>
    /// <exception cref="SamplerValuesException">The tensor is missing, too large, of another type, or not finite.</exception>
    public float[] Floats(string name)
    {
        SafetensorsTensor tensor = Tensor(name);
        if (tensor.TypeName != "F32") throw new SamplerValuesException(_file.Path, $"{name} of {_file.Path} is {tensor.TypeName}", "F32");
        if (tensor.Elements > MostValues) throw Refusal(name, Invariant($"at most {MostValues} values"));
        float[] values = _file.ReadFloats(name);
        int index = Array.FindIndex(values, value => !float.IsFinite(value));
        if (index < 0) return values;
        throw new SamplerValuesException(_file.Path, Invariant($"{name} of {_file.Path} holds {values[index]}"), "finite values");
    }

    /// <summary>A refusal of the file as a whole.</summary>
    public SamplerValuesException Refusal(string found) => new(
        _file.Path,
        $"{found} in {_file.Path}",
        "tensors schedule.NAME.STEPS, SAMPLER.SCHEDULE.STEPS.PART, CASE.STEPS.PART, brownian.SEED and brownian_large.SEED, with 1 to 1000 "
            + "steps");

    /// <inheritdoc/>
    public void Dispose()
    {
        _notes.Dispose();
        _file.Dispose();
    }

    private static JsonDocument ReadNotes(string path)
    {
        const string expected = "a JSON object with an entry for each run";
        string notes = Path.ChangeExtension(path, ".json");
        if (!File.Exists(notes)) throw new SamplerValuesException(notes, $"there is no {notes}", $"{expected} beside the values");
        JsonDocument? document = null;
        try
        {
            if (new FileInfo(notes).Length > MostNotes)
                throw new SamplerValuesException(notes, $"{notes} is larger than 16 MiB", expected);
            document = JsonDocument.Parse(File.ReadAllBytes(notes));
            if (document.RootElement.ValueKind == JsonValueKind.Object) return document;
            JsonValueKind kind = document.RootElement.ValueKind;
            document.Dispose();
            throw new SamplerValuesException(notes, $"{notes} is a JSON {kind}", expected);
        }
        catch (Exception exception) when (exception is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new SamplerValuesException(notes, $"{notes} cannot be read: {exception.Message.TrimEnd('.')}", expected, exception);
        }
    }

    private SafetensorsTensor Tensor(string name) => _file.Tensors.TryGetValue(name, out SafetensorsTensor? tensor)
        ? tensor
        : throw new SamplerValuesException(_file.Path, $"{_file.Path} has no tensor {name}", "every tensor of each case");

    private SamplerValuesException Refusal(string name, string expected) => new(
        _file.Path, Invariant($"{name} of {_file.Path} has shape [{string.Join(", ", Tensor(name).Shape)}]"), expected);
}
