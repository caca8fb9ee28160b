using System.Globalization;
using MuseAtelier.Export.Checkpoints;
using static System.FormattableString;

namespace MuseAtelier;

/// <summary>A LoRA that cannot be used as it is.</summary>
public abstract class LoraException : MuseAtelierException
{
    private protected LoraException(string path, string found, string expected, string remedy, Exception? inner = null)
        : base(found, expected, remedy, inner) => Path = path;

    /// <summary>Path of the file as it was given.</summary>
    public string Path { get; }
}

/// <summary>The file is valid, but it holds something else than a LoRA for SDXL.</summary>
public sealed class LoraKindException : LoraException
{
    internal LoraKindException(string path, string kind, string remedy)
        : base(path, $"{path} {kind}", "a LoRA for SDXL: LoRA, LoCon, LoHa, LoKr, DoRA, GLoRA or full differences", remedy)
    {
    }
}

/// <summary>No name in the LoRA is that of a weight of the model.</summary>
public sealed class LoraMatchException : LoraException
{
    internal LoraMatchException(string path, string name)
        : base(
            path,
            $"{path} changes no weight of this model: the first of its names is '{SafetensorsHeader.Shorten(name)}'",
            "a LoRA for SDXL",
            "Take the edition of the LoRA for SDXL.") =>
            Name = name;

    /// <summary>The first name in the file.</summary>
    public string Name { get; }
}

/// <summary>Tensors of a LoRA are missing, or their shapes fit neither each other nor the weight that they change.</summary>
public sealed class LoraShapeException : LoraException
{
    internal LoraShapeException(string path, string name, string found, string expected)
        : base(
            path,
            $"'{SafetensorsHeader.Shorten(name)}' of {path} {found}",
            expected,
            "The file is damaged, or it was made for another model: fetch it again, or take the edition for this model.") =>
            Name = name;

    /// <summary>Name of the module or of the tensor.</summary>
    public string Name { get; }
}

/// <summary>A tensor of a LoRA holds numbers that are not finite.</summary>
public sealed class LoraValueException : LoraException
{
    internal LoraValueException(string path, string name)
        : base(
            path,
            $"'{SafetensorsHeader.Shorten(name)}' of {path} holds numbers that are not finite (NaN or infinity)",
            "finite numbers",
            "The LoRA is damaged, or its training failed: fetch it again, or take another one.") =>
            Name = name;

    /// <summary>Name of the tensor.</summary>
    public string Name { get; }
}

/// <summary>A LoRA's strength is not a number that can be used.</summary>
public sealed class LoraStrengthException : LoraException
{
    internal LoraStrengthException(string path, float strength)
        : base(
            path,
            $"the strength of {path} is {strength.ToString(CultureInfo.InvariantCulture)}",
            "a finite number",
            "Give a strength such as 0.8.") =>
            Strength = strength;

    /// <summary>The strength.</summary>
    public float Strength { get; }
}

/// <summary>A weight that a LoRA changes exceeds the range of its type.</summary>
public sealed class LoraOverflowException : LoraException
{
    internal LoraOverflowException(IReadOnlyList<string> paths, string weight, string type, float value)
        : base(
            paths[0],
            Invariant($"{weight} reaches {value} with {paths[0]}{Others(paths.Count - 1)}"),
            $"finite values in the range of {type}",
            "Lower the strength of the LoRA, or leave it out.")
    {
        Weight = weight;
        Value = value;
    }

    /// <summary>The weight.</summary>
    public string Weight { get; }

    /// <summary>The value.</summary>
    public float Value { get; }

    private static string Others(int count) => count == 0 ? "" : Invariant($" and {count} other LoRAs");
}
