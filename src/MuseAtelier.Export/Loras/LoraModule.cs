using MuseAtelier.Export.Checkpoints;

namespace MuseAtelier.Export.Loras;

/// <summary>The tensors of a LoRA that change one layer of the model.</summary>
/// <param name="path">Path of the file, for messages.</param>
/// <param name="name">The layer's name in the file.</param>
internal sealed class LoraModule(string path, string name)
{
    private readonly Dictionary<LoraRole, LoraTensor> _tensors = [];

    /// <summary>Path of the file.</summary>
    public string Path => path;

    /// <summary>The layer's name in the file.</summary>
    public string Name => name;

    /// <summary>The tensors.</summary>
    public IEnumerable<LoraTensor> Tensors => _tensors.Values;

    /// <summary>Whether a tensor changes the layer's weight, and not only its bias.</summary>
    public bool HasWeightChange => _tensors.Keys.Any(role => role is not (LoraRole.BiasDifference or LoraRole.Alpha or LoraRole.Scalar));

    /// <summary>Adds a tensor.</summary>
    /// <returns>False where the module has another tensor of that role.</returns>
    public bool TryAdd(LoraRole role, LoraTensor tensor) => _tensors.TryAdd(role, tensor);

    /// <summary>Whether there is a tensor.</summary>
    public bool Has(LoraRole role) => _tensors.ContainsKey(role);

    /// <summary>A tensor; null where there is none.</summary>
    public LoraTensor? Find(LoraRole role) => _tensors.GetValueOrDefault(role);

    /// <summary>A tensor that the module must have.</summary>
    /// <exception cref="LoraShapeException">There is none.</exception>
    public LoraTensor Get(LoraRole role) =>
        Find(role) ?? throw new LoraShapeException(path, name, $"lacks its part '{role}'", "all parts of the change");

    /// <summary>A tensor as a matrix of as many rows as its first dimension.</summary>
    /// <exception cref="LoraShapeException">It is missing, empty or too large.</exception>
    public TensorMatrix Matrix(LoraRole role)
    {
        LoraTensor tensor = Get(role);
        Check(tensor);
        return new TensorMatrix(tensor, (int)tensor.Rows, (int)tensor.RowLength);
    }

    /// <summary>Checks that a tensor can be read.</summary>
    public void Check(LoraTensor tensor)
    {
        string shape = SafetensorsHeader.ShapeText(tensor.Shape);
        if (!tensor.IsReadable) throw new LoraShapeException(path, tensor.Name, $"has type {tensor.TypeName}", TensorMismatch.ReadTypes);
        if (tensor.Elements == 0) throw new LoraShapeException(path, tensor.Name, $"is empty: its shape is {shape}", "a rank of 1 or more");
        if (tensor.Bytes > Array.MaxLength)
            throw new LoraShapeException(path, tensor.Name, $"has shape {shape}", "a tensor of less than 2 GiB");
    }

    /// <summary>The factor alpha / rank; 1 where the file states no alpha.</summary>
    /// <exception cref="LoraException">Alpha is not one finite number.</exception>
    public double Scale(long rank) => Has(LoraRole.Alpha) ? (double)Number(LoraRole.Alpha) / rank : 1;

    /// <summary>A tensor of one number; 1 where it is missing.</summary>
    /// <exception cref="LoraException">It is not one finite number.</exception>
    public float Number(LoraRole role)
    {
        if (Find(role) is not { } tensor) return 1;
        if (tensor.Elements != 1)
            throw new LoraShapeException(path, tensor.Name, $"has shape {SafetensorsHeader.ShapeText(tensor.Shape)}", "one number");
        Check(tensor);
        Span<float> value = stackalloc float[1];
        tensor.Read(0, value);
        return value[0];
    }
}
