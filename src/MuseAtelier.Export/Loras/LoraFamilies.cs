namespace MuseAtelier.Export.Loras;

/// <summary>Names the families of a LoRA's changes, their ranks, and the parts of the model that they belong to.</summary>
internal static class LoraFamilies
{
    private static readonly (string Part, string[] Starts)[] Parts =
    [
        ("CLIP-G", ["lora_te2_", "text_encoder_2.", "text_encoders.clip_g.", "clip_g.", "conditioner.embedders.1."]),
        ("CLIP-L", ["lora_te1_", "lora_te_", "text_encoder.", "text_encoders.clip_l.", "clip_l.", "conditioner.embedders.0."]),
    ];

    private static readonly string[] PartOrder = ["UNet", "CLIP-L", "CLIP-G"];

    /// <summary>The families, in the order in which they first occur.</summary>
    public static IReadOnlyList<string> Of(IReadOnlyList<LoraModule> modules) => [.. modules.SelectMany(Of).Distinct()];

    /// <summary>The rank of a module's change; 0 where it has none.</summary>
    public static int RankOf(LoraModule module)
    {
        long rank = module switch
        {
            _ when module.Find(LoraRole.Down) is { } down => down.Rows,
            _ when module.Find(LoraRole.HadaW1B) is { } hada => hada.Rows,
            _ when module.Find(LoraRole.LokrW2B) is { } lokr => lokr.Rows,
            _ when module.Find(LoraRole.LokrW1B) is { } lokr => lokr.Rows,
            _ when module.Find(LoraRole.A1) is { } a => Math.Min(a.Rows, a.RowLength),
            _ => 0,
        };
        return (int)Math.Min(rank, int.MaxValue);
    }

    /// <summary>The parts of the model that the modules' names belong to.</summary>
    public static IReadOnlyList<string> PartsOf(IReadOnlyList<LoraModule> modules)
    {
        HashSet<string> found = [.. modules.Select(module => PartOf(module.Name))];
        return [.. PartOrder.Where(found.Contains)];
    }

    private static string PartOf(string name)
    {
        foreach ((string part, string[] starts) in Parts)
        {
            if (starts.Any(start => name.StartsWith(start, StringComparison.Ordinal))) return part;
        }

        return "UNet";
    }

    private static IEnumerable<string> Of(LoraModule module)
    {
        if (module.Find(LoraRole.Down) is { } down) yield return IsConvolution(module, down) ? "LoCon" : "LoRA";
        if (module.Has(LoraRole.HadaW1A)) yield return "LoHa";
        if (module.Has(LoraRole.LokrW1) || module.Has(LoraRole.LokrW1A)) yield return "LoKr";
        if (module.Has(LoraRole.A1)) yield return "GLoRA";
        if (module.Has(LoraRole.Magnitude) || module.Has(LoraRole.MagnitudeVector)) yield return "DoRA";
        if (module.Has(LoraRole.Difference) || module.Has(LoraRole.BiasDifference) || module.Has(LoraRole.Replacement))
            yield return "full";
    }

    private static bool IsConvolution(LoraModule module, LoraTensor down) =>
        module.Has(LoraRole.Mid) || (down.Shape.Count == 4 && (down.Shape[2] > 1 || down.Shape[3] > 1));
}
