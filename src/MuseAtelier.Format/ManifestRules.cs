using System.Globalization;

namespace MuseAtelier.Format;

/// <summary>
/// The rules that a manifest must keep before it is used. Anybody may have written it, and native code reads and writes memory by it, so
/// every size, offset and name is checked here, and nowhere else.
/// </summary>
internal static class ManifestRules
{
    private const int MostComponents = 64;
    private const int MostFiles = 4096;
    private const int MostStages = 4096;
    private const int MostTensors = 16384;
    private const int MostWeights = 4096;
    private const int MostSlices = 16;
    private const int MostDimensions = 8;
    private const int LongestName = 512;
    private const int LongestText = 4096;
    private const int LongestFolder = 255;
    private const int WeightAlignment = 256;
    private const int ConstantAlignment = 4096;
    private const int LargestWidth = 1 << 16;
    private const int Positions = TextChunk.Length;
    private const int LatentChannels = 4;
    private const int MostTokens = 64 * Positions;
    private const long MostFileBytes = 1L << 44;
    private const long MostTensorBytes = 1L << 44;
    private const long MostRows = 1L << 40;

    // The largest value of everything that a request can ask for.
    private static readonly PictureShape Largest =
        new(16, 256, 256, 1000) { Tokens = MostTokens, CanvasHeight = 8192, CanvasWidth = 8192 };

    /// <summary>Checks a manifest.</summary>
    /// <param name="folder">The package's folder, for messages.</param>
    /// <param name="manifest">The manifest.</param>
    /// <exception cref="PackageManifestException">A member has a value that the engine cannot use.</exception>
    public static void Check(string folder, PackageManifest manifest)
    {
        var rules = new Checker(folder);
        rules.CheckModel(manifest);
        Dictionary<string, long> files = rules.CheckFiles(manifest.Files);
        rules.Count("components", manifest.Components, MostComponents);
        rules.Unique("component", manifest.Components.Select(component => component.Name));
        foreach (ComponentSpec component in manifest.Components) rules.CheckComponent(component, files);
        if (ManifestContract.FaultOf(manifest) is { } fault) rules.Refuse(fault);
    }

    /// <summary>
    /// Checks an overlay's manifest by itself. Its stages are checked later, together with the base.
    /// </summary>
    /// <param name="folder">The overlay's folder, for messages.</param>
    /// <param name="overlay">The overlay's manifest.</param>
    /// <exception cref="PackageManifestException">A member has a value that the engine cannot use.</exception>
    public static void Check(string folder, OverlayManifest overlay)
    {
        var rules = new Checker(folder);
        rules.CheckOverlay(overlay);
        rules.CheckFiles(overlay.Files);
        rules.Count("stages", overlay.Stages, MostStages);
        foreach (OverlayStage entry in overlay.Stages)
        {
            if (entry.Component is null || entry.Stage?.Name is null || entry.Stage.Inputs is null || entry.Stage.Outputs is null)
                rules.Refuse("a stage lacks members");
        }

        if (overlay.Vae is not null) rules.CheckVaeAlone(overlay.Stages);

        rules.Unique("stage", overlay.Stages.Select(entry => $"{entry.Component}/{entry.Stage.Name}"));
    }

    private sealed class Checker(string folder)
    {
        public void Refuse(string fault) => throw new PackageManifestException(folder, $"the manifest of {folder} cannot be used: {fault}");

        public void CheckOverlay(OverlayManifest overlay)
        {
            Prose("exporterVersion", overlay.ExporterVersion);
            Prose("the overlay's name", overlay.Name);
            Digest("the SHA-256 of the base's manifest", overlay.Base.ManifestSha256);
            if (overlay.Vae is { } vae)
            {
                Prose("the VAE's name", vae.Name);
                Digest("the VAE's SHA-256", vae.Sha256);
            }

            // The base lies beside the overlay. A path could name any place, on Windows even one on another computer. Windows drops dots
            // and spaces at the end of a name, so that ".. " could name the folder above.
            string name = overlay.Base.Folder;
            bool isName = name.Length is > 0 and <= LongestFolder && name[^1] is not ('.' or ' ')
                && !name.Any(letter => char.IsControl(letter) || letter is '/' or '\\' or ':');
            Require(isName, $"the base '{Shorten(name)}' is not the name of a folder");
        }

        // The model keeps its digest, so that no other part may change.
        public void CheckVaeAlone(IReadOnlyList<OverlayStage> stages)
        {
            foreach (OverlayStage entry in stages)
            {
                bool isOfVae = entry.Component is ComponentNames.VaeDecoder or ComponentNames.VaeDecoderFp32 or ComponentNames.VaeEncoder;
                Require(isOfVae, $"an overlay for a VAE replaces a stage of {Shorten(entry.Component)}");
            }
        }

        public void CheckModel(PackageManifest manifest)
        {
            Prose("exporterVersion", manifest.ExporterVersion);
            Prose("the checkpoint's name", manifest.Checkpoint.Name);
            Prose("the checkpoint's title", manifest.Checkpoint.Title ?? "-");
            Prose("the checkpoint's licence", manifest.Checkpoint.License ?? "-");
            Digest("the checkpoint's SHA-256", manifest.Checkpoint.Sha256);
            Require(manifest.Checkpoint.Bytes is >= 0 and <= MostFileBytes, "the checkpoint's size is impossible");
            Require(Enum.IsDefined(manifest.Lowering), "the lowering is unknown");
            if (manifest.Precisions is { } chosen)
            {
                bool areSupported = chosen.TextEncoders.IsSupported && chosen.UNet.IsSupported && chosen.Vae.IsSupported;
                Require(areSupported, $"the precisions are {chosen}: a part must be stored as it computes");
            }

            Require(manifest.Painter is null != manifest.Upscaler is null, "it describes no model, or two");
            if (manifest.Upscaler is { } upscaler) CheckUpscaler(upscaler);
            else CheckPainter(manifest.Model);
        }

        private void CheckUpscaler(UpscalerSpec upscaler)
        {
            Prose("the upscaler's architecture", upscaler.Architecture);
            Require(upscaler.Scale is >= 1 and <= UpscalerSpec.LargestScale, Text($"the upscaler's factor is {upscaler.Scale}"));
            Require(upscaler.Multiple is 1 or 2 or UpscalerSpec.LargestMultiple, Text($"tiles are multiples of {upscaler.Multiple} px"));
            Require(upscaler.Reach is >= 1 and <= LargestWidth, Text($"a pixel of the upscaler reaches {upscaler.Reach} px"));
            Require(upscaler.Features is >= 1 and <= LargestWidth, Text($"the upscaler has {upscaler.Features} features"));
            Require(upscaler.Blocks is >= 1 and <= LargestWidth, Text($"the upscaler has {upscaler.Blocks} blocks"));
            Require(upscaler.WorkingElements is >= 1 and <= UpscalerSpec.MostWorkingElements,
                Text($"the upscaler works on {upscaler.WorkingElements} numbers for each pixel"));
            Require(upscaler.Parameters >= 0, "the number of parameters is negative");
        }

        private void CheckPainter(ModelSpec model)
        {
            Require(model.InputChannels is LatentChannels or ModelSpec.InpaintingChannels, Text(
                $"the UNet reads {model.InputChannels} channels instead of {LatentChannels} or {ModelSpec.InpaintingChannels}"));
            Require(model.LatentChannels == LatentChannels,
                Text($"latents have {model.LatentChannels} channels instead of {LatentChannels}"));
            Require(model.TextLength == Positions, Text($"texts have {model.TextLength} positions instead of {Positions}"));
            int[] widths = [model.ClipLWidth, model.ClipGWidth, model.PooledWidth];
            foreach (int width in widths) Require(width is >= 1 and <= LargestWidth, Text($"a text encoder has width {width}"));
            Require(float.IsFinite(model.LatentScale) && model.LatentScale > 0, "the latent scale is no positive number");
            Require(model.Parameters >= 0, "the number of parameters is negative");
            CheckPrediction(model);
        }

        private void CheckPrediction(ModelSpec model)
        {
            Require(Enum.IsDefined(model.Prediction), "the prediction is unknown");
            Prose("the mark of the prediction", model.PredictionMark ?? "-");
            bool isPossible = !model.ZeroTerminalSnr || model.Prediction == PredictionType.Velocity;
            Require(isPossible, "a model that does not predict velocity has zero terminal SNR");
            bool isContinuous = SigmaRange.Of(model.Prediction) is not null;
            Require(model.Sigmas is not null == isContinuous, $"a model with the prediction {model.Prediction} has the wrong noise levels");
            Require(model.Sigmas?.IsPossible != false, "the range of noise levels is impossible");
        }

        public Dictionary<string, long> CheckFiles(IReadOnlyList<FileSpec> files)
        {
            Count("files", files, MostFiles);
            // On Windows and macOS, names that differ in case alone name the same file.
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
            IReadOnlyList<TensorSpec>[] parts = [component.Inputs, component.Outputs, component.Intermediates];
            foreach (IReadOnlyList<TensorSpec> part in parts)
            {
                Count($"tensors of {component.Name}", part, MostTensors);
                tensors.AddRange(part);
            }

            foreach (TensorSpec tensor in tensors) CheckTensor(component, tensor);
            Unique($"tensor of {component.Name}", tensors.Select(tensor => tensor.Name));
            Count($"stages of {component.Name}", component.Stages, MostStages);
            Unique($"stage of {component.Name}", component.Stages.Select(stage => stage.Name));
            HashSet<string> known = [.. tensors.Select(tensor => tensor.Name)];
            HashSet<string> made = [.. component.Inputs.Select(tensor => tensor.Name)];
            foreach (StageSpec stage in component.Stages) CheckStage(component, stage, files, known, made);
            foreach (TensorSpec output in component.Outputs)
                Require(made.Contains(output.Name), $"no stage of {component.Name} makes {output.Name}");
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

        // Stages run in order, so an input of a stage must be an input of the component or an output of an earlier stage.
        private void CheckStage(ComponentSpec component, StageSpec stage, Dictionary<string, long> files, HashSet<string> known,
            HashSet<string> made)
        {
            string place = $"stage {Shorten(stage.Name)} of {component.Name}";
            Name($"a stage of {component.Name}", stage.Name);
            Require(Enum.IsDefined(stage.Kind), $"{place} is of an unknown kind");
            Require(files.ContainsKey(stage.Graph), $"{place} names the graph '{Shorten(stage.Graph)}', which is not among the files");
            Count($"inputs of {place}", stage.Inputs, MostTensors);
            Count($"outputs of {place}", stage.Outputs, MostTensors);
            Count($"weights of {place}", stage.Weights, MostWeights);
            Count($"constants of {place}", stage.Constants, MostWeights);
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

            foreach (BindingSpec input in stage.Inputs)
                Require(made.Contains(input.Tensor), $"{place} takes {input.Tensor} before it is made");
            foreach (BindingSpec output in stage.Outputs)
                Require(made.Add(output.Tensor), $"{place} makes {output.Tensor}, which is there already");
            // Plans derive the cost of a stage from its tensors, and from its weights if it attends to the prompt.
            Require(stage.Inputs.Concat(stage.Outputs)
                .Any(binding => !ConditioningNames.IsConditioning(binding.Tensor)), $"{place} has conditioning alone");
            Require(stage.Weights.Count > 0 || stage.Kind == StageKind.Convolution
                || !stage.Inputs.Any(input => ConditioningNames.IsConditioning(input.Tensor)), $"{place} attends without weights");
            bool hasOneKind = stage.Kind == StageKind.Convolution ? stage.Weights.Count == 0 : stage.Constants.Count == 0;
            Require(hasOneKind, $"{place} has weights of the other kind of stage");
            CheckWeights(stage.Weights, $"weight of {place}", WeightAlignment, files);
            CheckWeights(stage.Constants, $"constant of {place}", ConstantAlignment, files);
        }

        // The weights of a stage must lie in one file, one after the other, because a device reads them with one read.
        private void CheckWeights(IReadOnlyList<WeightSpec> weights, string what, int alignment, Dictionary<string, long> files)
        {
            Unique(what, weights.Select(weight => weight.Graph));
            long end = 0;
            foreach (WeightSpec weight in weights)
            {
                Name($"a {what}", weight.Graph);
                CheckForm(weight, what);
                string name = $"the {what} '{Shorten(weight.Graph)}'";
                Require(weight.File == weights[0].File, $"{name} lies in another file than those before it");
                Require(files.TryGetValue(weight.File, out long bytes),
                    $"{name} lies in '{Shorten(weight.File)}', which is not among the files");
                Require(weight.Offset >= 0 && weight.Offset % alignment == 0, Text($"{name} begins at byte {weight.Offset}"));
                Require(TryBytes(weight, out long length) && length <= bytes
                    && weight.Offset <= bytes - length, $"{name} lies outside {weight.File}");
                Require(weight.Offset >= end, $"{name} overlaps the one before it");
                end = weight.Offset + length;
            }
        }

        private void CheckForm(WeightSpec weight, string what)
        {
            string name = $"the {what} '{Shorten(weight.Graph)}'";
            Require(weight.Type is ElementType.F32 or ElementType.F16 or ElementType.BF16, $"{name} has an impossible type");
            Require(weight.Shape.Count is >= 1 and <= MostDimensions && weight.Shape.All(size => size >= 1),
                $"{name} has an impossible shape");
            Require(Enum.IsDefined(weight.Layout), $"{name} has an unknown layout");
            int? rank = weight.Layout switch
            {
                WeightLayout.Transposed => 2,
                WeightLayout.ChannelsLast => 4,
                _ => null,
            };
            Require(rank is null || weight.Shape.Count == rank, $"{name} has a layout that its shape does not allow");
            Count($"slices of a {what}", weight.Slices, MostSlices);
            Require(weight.Slices.Count > 0, $"{name} has no source");
            long rows = weight.Layout == WeightLayout.Transposed ? weight.Shape[1] : weight.Shape[0];
            foreach (TensorSlice slice in weight.Slices)
            {
                Name($"a tensor of {name}", slice.Key);
                if (slice.Multiplier is not null) Name($"the multiplier of {name}", slice.Multiplier);
                Require(slice.FirstRow is >= 0 and <= MostRows && slice.Rows == rows,
                    Text($"{name} takes {slice.Rows} rows from row {slice.FirstRow} of '{Shorten(slice.Key)}'"));
                Require(slice.Scale is null || (float.IsFinite(slice.Scale.Value) && slice.Scale != 0), $"{name} has an impossible scale");
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

    // Letters, digits and a few signs between single slashes make a name that means the same on every system and stays in the folder.
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
