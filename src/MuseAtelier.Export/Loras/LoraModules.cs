using MuseAtelier.Export.Checkpoints;

namespace MuseAtelier.Export.Loras;

/// <summary>Groups the tensors of a LoRA by the layers that they change.</summary>
internal static class LoraModules
{
    /// <summary>Groups the tensors of a file.</summary>
    /// <param name="file">The file.</param>
    /// <param name="others">Receives the names that have no known form, or that occur in two spellings.</param>
    public static IReadOnlyList<LoraModule> Of(TensorFile file, out IReadOnlyList<string> others)
    {
        var modules = new SortedDictionary<string, LoraModule>(StringComparer.Ordinal);
        List<string> rest = [];
        foreach (SafetensorsTensor tensor in file.Tensors.Values.OrderBy(tensor => tensor.Name, StringComparer.Ordinal))
        {
            if (!LoraRoles.TryDivide(tensor.Name, out string name, out LoraRole role))
            {
                rest.Add(tensor.Name);
                continue;
            }

            if (!modules.TryGetValue(name, out LoraModule? module)) modules[name] = module = new LoraModule(file.Path, name);
            if (!module.TryAdd(role, new LoraTensor(file, tensor))) rest.Add(tensor.Name);
        }

        others = rest;
        return [.. modules.Values];
    }
}
