using System.Globalization;

namespace MuseAtelier.Packages;

/// <summary>
/// What has to hold of a manifest before anything is done with it. A manifest is a file like any other, and native code reads and writes
/// memory by what
/// stands in it: every size, place and name is checked here, once, so that nothing behind has to.
/// </summary>
internal static class ManifestRules
{
    private const int MostComponents = 64;
    private const int MostFiles = 4096;
    private const int MostStages = 4096;
    private const int MostTensors = 16384;
    private const int MostWeights = 4096;
    private const int MostDimensions = 8;
    private const int LongestName = 512;
    private const int LongestText = 4096;
    private const int WeightAlignment = 256;
    private const int LargestWidth = 1 << 16;
    private const int Positions = TextChunk.Length;
    private const int LatentChannels = 4;
    private const long MostFileBytes = 1L << 44;
    private const long MostTensorBytes = 1L << 44;

    // The largest of everything that can be asked for.
    private static readonly PictureShape Largest = new(16, 256, 256, 1000) { CanvasHeight = 8192, CanvasWidth = 8192 };

    /// <summary>Checks a manifest.</summary>
    /// <param name="folder">The package's folder, for messages.</param>
    /// <param name="manifest">The manifest.</param>
    /// <exception cref="PackageManifestException">Something in it cannot be.</exception>
    public static void Check(string folder, PackageManifest manifest)
    {
        var rules = new Checker(folder);
        rules.CheckModel(manifest);
        Dictionary<string, long> files = rules.CheckFiles(manifest.Files);
        rules.Count("components", manifest.Components, MostComponents);
        rules.Unique("component", manifest.Components.Select(component => component.Name));
        foreach (ComponentSpec component in manifest.Components) rules.CheckComponent(component, files);
        if (ManifestContract.Fault(manifest) is { } fault) rules.Refuse(fault);
    }

    private sealed class Checker(string folder)
    {
        public void Refuse(string fault) => throw new PackageManifestException(folder, $"the manifest of {folder} cannot be used: {fault}");

        public void CheckModel(PackageManifest manifest)
        {
            ModelSpec model = manifest.Model;
            Prose("exporterVersion", manifest.ExporterVersion);
            Prose("the checkpoint's name", manifest.Checkpoint.Name);
            Prose("the checkpoint's title", manifest.Checkpoint.Title ?? "-");
            Prose("the checkpoint's licence", manifest.Checkpoint.License ?? "-");
            Digest("the checkpoint's SHA-256", manifest.Checkpoint.Sha256);
            Require(manifest.Checkpoint.Bytes is >= 0 and <= MostFileBytes, "the checkpoint's size is impossible");
            Require(Enum.IsDefined(manifest.Lowering), "the lowering is unknown");
            if (manifest.Precisions is { } chosen) Require(
                Enum.IsDefined(chosen.TextEncoders) && Enum.IsDefined(chosen.UNet) && Enum.IsDefined(chosen.Vae), "a precision is unknown");
            Require(model.LatentChannels == LatentChannels,
                Text($"latents have {model.LatentChannels} channels instead of {LatentChannels}"));
            Require(model.TextLength == Positions, Text($"texts have {model.TextLength} positions instead of {Positions}"));
            foreach (int width in (int[])[model.ClipLWidth, model.ClipGWidth, model.PooledWidth]) Require(
                width is >= 1 and <= LargestWidth, Text($"a text encoder has width {width}"));
            Require(float.IsFinite(model.LatentScale) && model.LatentScale > 0, "the latent scale is no positive number");
            Require(model.Parameters >= 0, "the number of parameters is negative");
        }

        public Dictionary<string, long> CheckFiles(IReadOnlyList<FileSpec> files)
        {
            Count("files", files, MostFiles);
            // Windows and macOS take names of other case for the same.
            var sizes = new Dictionary<string, long>(StringComparer.OrdinalIgnoreCase);
            long total = 0;
            foreach (FileSpec file in files)
            {
                Require(IsSafe(file.Name), $"the file name '{Shorten(file.Name)}' leads out of the package");
                Require(file.Bytes is >= 0 and <= MostFileBytes, Text($"{file.Name} has {file.Bytes} bytes"));
                Digest($"the SHA-256 of {file.Name}", file.Sha256);
                Require(sizes.TryAdd(file.Name, file.Bytes), $"{file.Name} stands there twice");
                total += file.Bytes;
            }

            Require(total <= MostFileBytes, "the files are too large together");
            return new Dictionary<string, long>(files.Select(file => KeyValuePair.Create(file.Name, file.Bytes)), StringComparer.Ordinal);
        }

        public void CheckComponent(ComponentSpec component, Dictionary<string, long> files)
        {
            Name("a component", component.Name);
            List<TensorSpec> tensors = [];
            foreach (IReadOnlyList<TensorSpec> part in (
                IReadOnlyList<TensorSpec>[])[component.Inputs, component.Outputs, component.Intermediates])
            {
                Count($"tensors of {component.Name}", part, MostTensors);
                tensors.AddRange(part);
            }

            foreach (TensorSpec tensor in tensors) CheckTensor(component, tensor);
            Unique($"tensor of {component.Name}", tensors.Select(tensor => tensor.Name));
            Count($"stages of {component.Name}", component.Stages, MostStages);
            Unique($"stage of {component.Name}", component.Stages.Select(stage => stage.Name));
            HashSet<string> known = [.. tensors.Select(tensor => tensor.Name)], made = [.. component.Inputs.Select(tensor => tensor.Name)];
            foreach (StageSpec stage in component.Stages) CheckStage(component, stage, files, known, made);
            foreach (TensorSpec output in component.Outputs) Require(
                made.Contains(output.Name), $"no stage of {component.Name} makes {output.Name}");
        }

        private void CheckTensor(ComponentSpec component, TensorSpec tensor)
        {
            Name($"a tensor of {component.Name}", tensor.Name);
            Require(Enum.IsDefined(tensor.Type), $"{tensor.Name} of {component.Name} has an unknown type");
            Require(tensor.Shape.Count <= MostDimensions, $"{tensor.Name} of {component.Name} has too many dimensions");
            try
            {
                Require(tensor.Bytes(Largest) <= MostTensorBytes, $"{tensor.Name} of {component.Name} is too large");
            }
            catch (Exception exception) when (exception is OverflowException or DivideByZeroException)
            {
                Refuse($"{tensor.Name} of {component.Name} is too large");
            }
        }

        // Stages run in their order: what one takes is an input of the component, or was made by a stage before it.
        private void CheckStage(ComponentSpec component, StageSpec stage, Dictionary<string, long> files, HashSet<string> known,
            HashSet<string> made)
        {
            string place = $"stage {Shorten(stage.Name)} of {component.Name}";
            Name($"a stage of {component.Name}", stage.Name);
            Require(Enum.IsDefined(stage.Kind), $"{place} is of an unknown kind");
            Require(files.ContainsKey(stage.Graph), $"{place} names the graph '{Shorten(stage.Graph)}', which is not among the files");
            Require(stage.ConstantBytes is >= 0 and <= MostFileBytes, $"{place} has an impossible size of constants");
            Count($"inputs of {place}", stage.Inputs, MostTensors);
            Count($"outputs of {place}", stage.Outputs, MostTensors);
            Count($"weights of {place}", stage.Weights, MostWeights);
            Require(stage.Outputs.Count > 0, $"{place} makes nothing");
            Unique($"graph input of {place}", stage.Inputs.Select(input => input.Graph)
                .Concat(stage.Weights.Select(weight => weight.Graph)));
            Unique($"graph output of {place}", stage.Outputs.Select(output => output.Graph));
            foreach (BindingSpec binding in stage.Inputs.Concat(stage.Outputs))
            {
                Name($"a binding of {place}", binding.Graph);
                Require(known.Contains(binding.Tensor),
                    $"{place} binds '{Shorten(binding.Tensor)}', which is no tensor of {component.Name}");
            }

            foreach (BindingSpec input in stage.Inputs) Require(
                made.Contains(input.Tensor), $"{place} takes {input.Tensor} before it is made");
            foreach (BindingSpec output in stage.Outputs) Require(
                made.Add(output.Tensor), $"{place} makes {output.Tensor}, which is there already");
            // What a stage costs is told by the tensors that it works on and, where it attends to a text, by its weights.
            Require(stage.Inputs.Concat(stage.Outputs)
                .Any(binding => !ManifestContract.IsConditioning(binding.Tensor)), $"{place} has keys, values and shifts alone");
            Require(stage.Weights.Count > 0 || stage.Kind == StageKind.Convolution
                || !stage.Inputs.Any(input => ManifestContract.IsConditioning(input.Tensor)), $"{place} attends without weights");
            CheckWeights(stage, place, files);
        }

        // A stage's weights lie in one file, one behind the other: a device reads them with one read.
        private void CheckWeights(StageSpec stage, string place, Dictionary<string, long> files)
        {
            long end = 0;
            foreach (WeightSpec weight in stage.Weights)
            {
                Name($"a weight of {place}", weight.Graph);
                Prose($"the source of a weight of {place}", weight.Source);
                Require(Enum.IsDefined(weight.Type), $"a weight of {place} has an unknown type");
                Require(weight.Shape.Count is >= 1 and <= MostDimensions
                    && weight.Shape.All(size => size >= 1), $"{Shorten(weight.Source)} has an impossible shape");
                Require(weight.File == stage.Weights[0].File, $"the weights of {place} lie in several files");
                Require(files.TryGetValue(weight.File, out long bytes),
                    $"{Shorten(weight.Source)} lies in '{Shorten(weight.File)}', which is not among the files");
                Require(weight.Offset >= 0 && weight.Offset % WeightAlignment == 0,
                    Text($"{Shorten(weight.Source)} begins at byte {weight.Offset}"));
                Require(TryBytes(weight, out long length) && length <= bytes
                    && weight.Offset <= bytes - length, $"{Shorten(weight.Source)} lies outside {weight.File}");
                Require(weight.Offset >= end, $"{Shorten(weight.Source)} overlaps the weight before it");
                end = weight.Offset + length;
            }
        }

        public void Count<T>(string what, IReadOnlyList<T> list, int most)
            where T : class
        {
            Require(list.Count <= most, Text($"{list.Count} {what}"));
            foreach (T entry in list) Require(entry is not null, $"one of the {what} is null");
        }

        public void Unique(string what, IEnumerable<string> names)
        {
            var seen = new HashSet<string>(StringComparer.Ordinal);
            foreach (string name in names) Require(seen.Add(name), $"the {what} '{Shorten(name)}' stands there twice");
        }

        private void Name(string what, string name) =>
            Require(name.Length is > 0 and <= LongestName && !name.Any(char.IsControl), $"the name of {what} is '{Shorten(name)}'");

        private void Prose(string what, string text) =>
            Require(text.Length is > 0 and <= LongestText, Text($"{what} has {text.Length} letters"));

        private void Digest(string what, string digest) =>
            Require(digest.Length == 64 && digest.All(letter => char.IsAsciiDigit(letter) || letter is >= 'a' and <= 'f'),
                $"{what} is '{Shorten(digest)}'");

        private void Require(bool holds, string fault)
        {
            if (!holds) Refuse(fault);
        }
    }

    private static bool TryBytes(WeightSpec weight, out long bytes)
    {
        UInt128 product = (uint)weight.Type.Size();
        bytes = 0;
        foreach (long size in weight.Shape)
        {
            product *= (ulong)size;
            if (product > (ulong)MostFileBytes) return false;
        }

        bytes = (long)product;
        return true;
    }

    // Letters, digits and a few signs between single slashes: a name that means the same on every system, and stays inside the folder.
    private static bool IsSafe(string name) =>
        name.Length is > 0 and <= LongestName
        && !name.Equals(PackageManifest.FileName, StringComparison.OrdinalIgnoreCase)
        && name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '/' or '.' or '-' or '_')
        && name.Split('/').All(part => part.Length > 0 && part[0] != '.' && part[^1] != '.');

    private static string Shorten(string text)
    {
        string line = text.Length > 80 ? string.Concat(text.AsSpan(0, 79), "…") : text;
        return string.Concat(line.Select(letter => char.IsControl(letter) ? '?' : letter));
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
