using MuseAtelier.Export.Checkpoints;

namespace MuseAtelier.Export.Loras;

/// <summary>What a LoRA's file says of itself, from its header alone.</summary>
internal sealed record LoraInfo
{
    /// <summary>The title (<c>modelspec.title</c>), if any.</summary>
    public string? Title { get; init; }

    /// <summary>
    /// The name that the trainer gave it (<c>ss_output_name</c>), by which AUTOMATIC1111 finds it too (extensions-builtin/Lora/network.py,
    /// NetworkOnDisk); null where the file states none.
    /// </summary>
    public string? Alias { get; init; }

    /// <summary>The families of its changes: "LoRA", "LoCon", "LoHa", "LoKr", "GLoRA", "DoRA" or "full".</summary>
    public required IReadOnlyList<string> Families { get; init; }

    /// <summary>The least rank; 0 where no change has one.</summary>
    public int LeastRank { get; init; }

    /// <summary>The largest rank; 0 where no change has one.</summary>
    public int MostRank { get; init; }

    /// <summary>The model that it was trained on, as the file states it; null where it does not.</summary>
    public string? TrainedOn { get; init; }

    /// <summary>Trigger words: the stated phrase first, then the tags of the training pictures, the most frequent ones first.</summary>
    public IReadOnlyList<string> TriggerWords { get; init; } = [];

    /// <summary>The parts of the model that it changes: "UNet", "CLIP-L", "CLIP-G".</summary>
    public required IReadOnlyList<string> Parts { get; init; }

    /// <summary>Number of changed layers.</summary>
    public required int Layers { get; init; }

    /// <summary>Size of the file in bytes.</summary>
    public required long Bytes { get; init; }

    /// <summary>The digest that the trainer stored (<c>sshs_model_hash</c>), by which AUTOMATIC1111 names the file; null for none.</summary>
    public string? StatedHash { get; init; }

    /// <summary>Describes a file.</summary>
    public static LoraInfo Of(TensorFile file, IReadOnlyList<LoraModule> modules)
    {
        int[] ranks = [.. modules.Select(LoraFamilies.RankOf).Where(rank => rank > 0)];
        return new LoraInfo
        {
            Title = LoraMetadata.Text(file, "modelspec.title"),
            Alias = LoraMetadata.Text(file, "ss_output_name"),
            Families = LoraFamilies.Of(modules),
            LeastRank = ranks.Length == 0 ? 0 : ranks.Min(),
            MostRank = ranks.Length == 0 ? 0 : ranks.Max(),
            TrainedOn = LoraMetadata.TrainedOn(file),
            TriggerWords = LoraMetadata.TriggerWords(file),
            Parts = LoraFamilies.PartsOf(modules),
            Layers = modules.Count,
            Bytes = file.Bytes,
            StatedHash = LoraMetadata.Text(file, "sshs_model_hash"),
        };
    }
}
