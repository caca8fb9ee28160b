using System.Runtime.InteropServices;
using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Format;
using static System.FormattableString;

namespace MuseAtelier.Export.Loras;

/// <summary>
/// The changes that several LoRAs make together to the weights of a package. Knows which weights they touch, and computes
/// W + sum of strength * change in fp32. Thread-safe: weights are merged on several threads at once, and the numbers do not depend on
/// their number.
/// </summary>
internal sealed class LoraSet
{
    private const int NoticeExamples = 3;

    private readonly PackageWeights _weights;

    private LoraSet(PackageWeights weights, long bytes, IReadOnlyList<string> notices)
    {
        _weights = weights;
        Bytes = bytes;
        Notices = notices;
    }

    /// <summary>Sentences for the user: names in the files that match no weight, with their number and examples.</summary>
    public IReadOnlyList<string> Notices { get; }

    /// <summary>Bytes of host memory that the factors take while the set is in use. They are kept in the type of their files.</summary>
    public long Bytes { get; }

    /// <summary>Matches the files' changes with the weights of a package. A strength of 0 touches nothing. Reads no factors.</summary>
    /// <param name="manifest">The package that is changed.</param>
    /// <param name="uses">The files and their strengths, in the order in which they are added.</param>
    /// <exception cref="LoraException">A file does not fit the model, or a strength is not finite.</exception>
    public static LoraSet Of(PackageManifest manifest, IReadOnlyList<LoraUse> uses)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        ArgumentNullException.ThrowIfNull(uses);
        var tensors = ModelTensors.Of(manifest);
        var names = new LoraNames(tensors);
        var changes = new Dictionary<string, List<LoraChange>>(StringComparer.Ordinal);
        List<string> notices = [];
        foreach (LoraUse use in uses) Add(use, names, changes, notices);
        long bytes = changes.Values.SelectMany(list => list).Select(change => change.Module).Distinct()
            .SelectMany(module => module.Tensors).Sum(tensor => tensor.Bytes);
        return new LoraSet(new PackageWeights(manifest, changes), bytes, notices);
    }

    /// <summary>Whether a weight or constant of the package is changed.</summary>
    public bool Touches(WeightSpec weight)
    {
        ArgumentNullException.ThrowIfNull(weight);
        return _weights.IsChanged(weight);
    }

    /// <summary>Computes a changed weight.</summary>
    /// <param name="weight">A weight that the set touches.</param>
    /// <param name="stored">The weight's bytes in the package: <see cref="WeightSpec.Bytes"/> bytes in its type and layout.</param>
    /// <param name="merged">Receives its values in fp32, in the weight's layout.</param>
    /// <exception cref="LoraException">Numbers of a LoRA or of the result are out of range.</exception>
    /// <exception cref="CheckpointException">A LoRA's file cannot be read any more.</exception>
    public void Merge(WeightSpec weight, ReadOnlySpan<byte> stored, Span<float> merged) =>
        Run(weight, stored, ElementType.F32, MemoryMarshal.AsBytes(merged));

    /// <summary>Changes the bytes of a weight in place, rounded half to even to the weight's own type.</summary>
    /// <param name="weight">A weight that the set touches.</param>
    /// <param name="bytes">The weight's bytes in the package, which are replaced.</param>
    /// <exception cref="LoraException">Numbers of a LoRA or of the result are out of range. Some bytes may be replaced then.</exception>
    /// <exception cref="CheckpointException">A LoRA's file cannot be read any more.</exception>
    public void Merge(WeightSpec weight, Span<byte> bytes) => Run(weight, bytes, weight.Type, bytes);

    /// <summary>
    /// The changes of a weight as products that a device can add by itself, with the same result; null if it cannot. Reads no factors.
    /// </summary>
    /// <param name="weight">A weight that the set touches.</param>
    public LoraProducts? ProductsOf(WeightSpec weight) => LoraProducts.Of(weight, _weights.ChangesOf(weight));

    private void Run(WeightSpec weight, ReadOnlySpan<byte> stored, ElementType type, Span<byte> merged)
    {
        ArgumentNullException.ThrowIfNull(weight);
        ArgumentOutOfRangeException.ThrowIfNotEqual(stored.Length, weight.Bytes);
        ArgumentOutOfRangeException.ThrowIfNotEqual(merged.Length, checked(weight.Elements * type.Size()));
        List<SliceChange> changes = _weights.ChangesOf(weight);
        if (changes.Count == 0) throw new ArgumentException($"No LoRA changes {weight.Source}.", nameof(weight));
        using var merge = new LoraMerge(_weights, weight, changes, stored);
        merge.Run(stored, type, merged);
    }

    private static void Add(LoraUse use, LoraNames names, Dictionary<string, List<LoraChange>> changes, List<string> notices)
    {
        LoraFile file = use.File;
        foreach (float strength in (float[])[use.Strength, use.TextStrength])
        {
            if (!float.IsFinite(strength)) throw new LoraStrengthException(file.Path, strength);
        }

        var known = new Dictionary<LoraLayer, LoraModule>(ReferenceEqualityComparer.Instance);
        List<string> unknown = [.. file.Others];
        int unread = 0;
        foreach (LoraModule module in file.Modules)
        {
            if (names.Find(module.Name) is not { } layer) unknown.Add(module.Name);
            else if (layer.IsUnread) unread++;
            // Of two names of one layer that of diffusers counts, as in diffusers and ComfyUI.
            else if (!known.TryGetValue(layer, out LoraModule? other)) known[layer] = module;
            else if (names.IsDiffusers(other.Name)) unknown.Add(module.Name);
            else
            {
                known[layer] = module;
                unknown.Add(other.Name);
            }
        }

        if (known.Count + unread == 0) throw new LoraMatchException(file.Path, unknown.Count == 0 ? "" : unknown[0]);
        foreach ((LoraLayer layer, LoraModule module) in known)
        {
            float strength = layer.IsText ? use.TextStrength : use.Strength;
            if (strength == 0) continue;
            foreach (LoraChange change in LoraChanges.Of(module, layer, strength, unknown))
            {
                if (!changes.TryGetValue(change.Target.Key, out List<LoraChange>? list)) changes[change.Target.Key] = list = [];
                list.Add(change);
            }
        }

        if (unknown.Count > 0) notices.Add(Notice(file, unknown));
    }

    private static string Notice(LoraFile file, List<string> unknown)
    {
        string examples = string.Join(", ", unknown.Take(NoticeExamples).Select(name => $"'{SafetensorsHeader.Shorten(name)}'"));
        string rest = unknown.Count > NoticeExamples ? ", ..." : "";
        string names = unknown.Count == 1 ? "name" : "names";
        return Invariant($"{unknown.Count} {names} in {file.Name} match no weight of the model and are left out: {examples}{rest}.");
    }
}
