namespace MuseAtelier.Export.Checkpoints;

/// <summary>
/// A model in several files, read as if it were a single-file checkpoint: every tensor has the name that it has there. It owns the files.
/// </summary>
internal sealed class CompositeFile : TensorFile
{
    private readonly IReadOnlyList<TensorFile> _files;
    private readonly IReadOnlyDictionary<string, PlacedTensor> _places;

    private CompositeFile(
        string path,
        IReadOnlyList<TensorFile> files,
        IReadOnlyDictionary<string, string> metadata,
        IReadOnlyDictionary<string, PlacedTensor> places)
        : base(path, files.Sum(file => file.Bytes), metadata, places.ToDictionary(entry => entry.Key, entry => entry.Value.Tensor))
    {
        _files = files;
        _places = places;
    }

    /// <summary>Opens the files of a model's folder.</summary>
    /// <param name="path">Path of the folder.</param>
    /// <exception cref="CheckpointException">The folder holds no model, or a file of it cannot be read.</exception>
    public static CompositeFile OpenFolder(string path)
    {
        ModelFolder folder = ModelFolder.Of(path);
        var files = new List<TensorFile>();
        try
        {
            foreach (ModelFolderFile file in folder.Files) files.Add(TensorFile.Open(folder.PathOf(file.Name)));
            return Join(folder, files);
        }
        catch
        {
            foreach (TensorFile file in files) file.Dispose();
            throw;
        }
    }

    /// <summary>Opens the file of a part, whose tensors get the names of single-file checkpoints.</summary>
    /// <param name="path">Path of the file.</param>
    /// <param name="part">The part that it must hold.</param>
    /// <returns>The part alone; null if the file holds no such part.</returns>
    /// <exception cref="CheckpointException">The file cannot be read.</exception>
    public static CompositeFile? OpenPart(string path, ModelPart part)
    {
        TensorFile file = TensorFile.Open(path);
        try
        {
            FoundPart? found = PartRecognition.Of(file).FirstOrDefault(entry => entry.Part == part);
            if (found is null)
            {
                file.Dispose();
                return null;
            }

            var places = new PlacedTensors(path);
            places.Add(part, [(file, found.Prefix, path)]);
            return new CompositeFile(path, [file], file.Metadata, places.All);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override void CopyTo(SafetensorsTensor tensor, long start, Span<byte> destination)
    {
        RequirePart(tensor, start, destination.Length);
        PlacedTensor place = _places[tensor.Name];
        place.File.CopyTo(place.Source, start, destination);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        foreach (TensorFile file in _files) file.Dispose();
    }

    private static CompositeFile Join(ModelFolder folder, IReadOnlyList<TensorFile> files)
    {
        var places = new PlacedTensors(folder.Path);
        bool isPlain = folder.Files.All(file => file.Part is null);
        if (isPlain) AddRecognised(folder, files, places);
        else AddKnown(folder, files, places);
        // The UNet's file says what the model is; the others say of themselves that they are parts.
        const string firstOfUNet = "model.diffusion_model.input_blocks.0.0.weight";
        TensorFile speaker = places.All.TryGetValue(firstOfUNet, out PlacedTensor? first) ? first.File : files[0];
        return new CompositeFile(folder.Path, files, speaker.Metadata, places.All);
    }

    // The files of diffusers' layout, whose folders tell the parts.
    private static void AddKnown(ModelFolder folder, IReadOnlyList<TensorFile> files, PlacedTensors places)
    {
        foreach (string index in folder.Descriptions.Where(name => name != DiffusersFolder.SchedulerFile))
            ShardIndex.Check(folder.Path, index, TensorsOf);
        foreach (var part in folder.Files.Zip(files).GroupBy(entry => entry.First.Part!.Value))
            places.Add(part.Key, [.. part.Select(entry => (entry.Second, "", entry.First.Name))]);

        IReadOnlyDictionary<string, SafetensorsTensor>? TensorsOf(string name) =>
            folder.Files.Zip(files).FirstOrDefault(entry => entry.First.Name == name).Second?.Tensors;
    }

    // The files of a plain folder, whose tensors tell the parts.
    private static void AddRecognised(ModelFolder folder, IReadOnlyList<TensorFile> files, PlacedTensors places)
    {
        var found = new List<(FoundPart Part, TensorFile File, string Name)>();
        foreach ((ModelFolderFile entry, TensorFile file) in folder.Files.Zip(files))
        {
            IReadOnlyList<FoundPart> parts = PartRecognition.Of(file);
            if (parts.Count == 0) throw new ModelFolderException(
                folder.Path,
                $"{entry.Name} in {folder.Path} holds no part of an SDXL model",
                "a folder with UNet, CLIP-L, CLIP-G and VAE of one model and no other .safetensors files",
                "Move the other files to another folder.");
            found.AddRange(parts.Select(part => (part, file, entry.Name)));
        }

        NameTexts(folder, found);
        foreach (var same in found.GroupBy(entry => entry.Part.Part).Where(same => same.Count() > 1))
            throw Ambiguous(folder, $"both hold a {same.Key!.Value.Text()}", same.First().Name, same.Last().Name);
        ModelPart[] present = [.. found.Select(entry => entry.Part.Part!.Value).Order()];
        string[] missing = [.. Enum.GetValues<ModelPart>().Except(present).Select(part => part.Text())];
        if (missing.Length > 0) throw new MissingPartException(folder.Path, missing, [.. present.Select(part => part.Text())]);
        foreach ((FoundPart part, TensorFile file, string name) in found) places.Add(part.Part!.Value, [(file, part.Prefix, name)]);
        foreach ((FoundPart part, TensorFile file, _) in found)
            if (part.Part == ModelPart.UNet) places.AddMarks(file);
    }

    // A text encoder in a file of its own does not say which one it is.
    private static void NameTexts(ModelFolder folder, List<(FoundPart Part, TensorFile File, string Name)> found)
    {
        int[] unknown = [.. Enumerable.Range(0, found.Count).Where(i => found[i].Part.Part is null)];
        if (unknown.Length == 0) return;
        bool hasL = found.Any(entry => entry.Part.Part == ModelPart.ClipL), hasG = found.Any(entry => entry.Part.Part == ModelPart.ClipG);
        if (unknown.Length > 2 || unknown.Length == 2 && (hasL || hasG))
            throw Ambiguous(folder, "are text encoders, as a third file is", found[unknown[0]].Name, found[unknown[1]].Name);
        (long, int)? second = unknown.Length == 2 ? SizeOf(unknown[1]) : null;
        bool? isG = hasL ? true : hasG ? false : PartRecognition.IsClipG(SizeOf(unknown[0]), second);
        if (isG is not { } firstIsG) throw Ambiguous(folder, "are text encoders of one size", found[unknown[0]].Name, found[unknown[1]].Name);
        Name(unknown[0], firstIsG);
        if (unknown.Length == 2) Name(unknown[1], !firstIsG);

        (long, int) SizeOf(int i) => PartRecognition.SizeOf(found[i].File, found[i].Part.Prefix);

        void Name(int i, bool isClipG) =>
            found[i] = found[i] with { Part = found[i].Part with { Part = isClipG ? ModelPart.ClipG : ModelPart.ClipL } };
    }

    private static ModelFolderException Ambiguous(ModelFolder folder, string fault, string first, string second) => new(
        folder.Path,
        $"{first} and {second} in {folder.Path} {fault}",
        "a folder with each part of one model once: UNet, CLIP-L, CLIP-G and VAE",
        "Give the path of one model's file, or put the parts of one model into a folder of their own.");
}
