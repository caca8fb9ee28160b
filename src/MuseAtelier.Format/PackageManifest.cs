using System.Text.Json;
using System.Text.Json.Serialization;

namespace MuseAtelier.Format;

/// <summary>The description of an exported package: the content of its <c>manifest.json</c>.</summary>
internal sealed record PackageManifest
{
    /// <summary>Name of the manifest's file. It is written last, so a folder without it is no package.</summary>
    public const string FileName = "manifest.json";

    /// <summary>The version of the package format that this version of MuseAtelier writes and reads.</summary>
    public const int CurrentFormatVersion = 7;

    /// <summary>Version of the package format.</summary>
    public required int FormatVersion { get; init; }

    /// <summary>Version of the exporter that wrote the package.</summary>
    public required string ExporterVersion { get; init; }

    /// <summary>The kind of device for which the graphs were lowered.</summary>
    public required Lowering Lowering { get; init; }

    /// <summary>The precisions of the parts if they are not the lowering's defaults; else null. See <see cref="PartPrecisions"/>.</summary>
    public Precisions? Precisions { get; init; }

    /// <summary>The checkpoint that the package was made from.</summary>
    public required CheckpointSpec Checkpoint { get; init; }

    /// <summary>
    /// Properties of a painting model that no tensor's shape states; null in the package of an upscaler. See <see cref="Model"/>.
    /// </summary>
    [JsonPropertyName("model")]
    public ModelSpec? Painter { get; init; }

    /// <summary>Properties of an upscaler; null in the package of a painting model.</summary>
    public UpscalerSpec? Upscaler { get; init; }

    /// <summary>The parts of the model by name: <see cref="ComponentNames"/>.</summary>
    public required IReadOnlyList<ComponentSpec> Components { get; init; }

    /// <summary>Every file of the package except the manifest. Those of an overlay include its base's.</summary>
    public required IReadOnlyList<FileSpec> Files { get; init; }

    /// <summary>Where the files lie if the package is an overlay on another one; null for other packages.</summary>
    [JsonIgnore]
    public OverlayOrigin? Overlay { get; init; }

    /// <summary>The VAE in a file of its own that replaces the checkpoint's; null if the VAE is the checkpoint's own.</summary>
    [JsonIgnore]
    public VaeSpec? Vae { get; init; }

    /// <summary>The folder that the manifest was read from; null for a manifest that was made in memory.</summary>
    [JsonIgnore]
    public string? Folder { get; init; }

    /// <summary>The properties of the painting model. Only for packages that paint.</summary>
    /// <exception cref="PackageManifestException">The package is that of an upscaler.</exception>
    [JsonIgnore]
    public ModelSpec Model
    {
        get => Painter ?? throw new PackageManifestException(
            Checkpoint.Name, $"{Checkpoint.Name} is the package of an upscaler, which paints no pictures");
        init => Painter = value;
    }

    /// <summary>The precisions of the parts.</summary>
    [JsonIgnore]
    public Precisions PartPrecisions => Precisions ?? MuseAtelier.Precisions.Of(Lowering);

    /// <summary>
    /// The farthest layer from the last one whose hidden states both text encoders output: 2 to
    /// <see cref="ConditioningNames.MostClipSkip"/>.
    /// </summary>
    [JsonIgnore]
    public int MostClipSkip => Math.Min(MostClipSkipOf(ComponentNames.ClipL), MostClipSkipOf(ComponentNames.ClipG));

    /// <summary>The component with a name.</summary>
    public ComponentSpec Component(string name) =>
        Components.FirstOrDefault(component => component.Name == name)
        ?? throw new PackageManifestException(Checkpoint.Name, $"the manifest has no component '{name}'");

    /// <summary>The farthest layer from the last one whose hidden states a text encoder outputs; 1 if it has no such output.</summary>
    internal int MostClipSkipOf(string encoder)
    {
        HashSet<string> outputs = [.. Components.Where(component => component.Name == encoder)
            .SelectMany(component => component.Outputs).Select(output => output.Name)];
        int most = ConditioningNames.UsualClipSkip - 1;
        while (most < ConditioningNames.MostClipSkip && outputs.Contains(ConditioningNames.HiddenStates(most + 1))) most++;
        return most;
    }

    /// <summary>The path of a file.</summary>
    /// <param name="folder">The package's folder.</param>
    /// <param name="file">Name of a file of <see cref="Files"/>.</param>
    public string PathOf(string folder, string file) =>
        Path.Combine(Overlay is null || Overlay.OwnFiles.Contains(file) ? folder : Overlay.BaseFolder, file);

    /// <summary>
    /// Reads a package's manifest and checks all of it, because anybody may have written the file: sizes, names, offsets, and whether the
    /// components fit together. The manifest of an overlay is read together with that of its base.
    /// </summary>
    /// <param name="folder">The package's folder.</param>
    /// <exception cref="PackageManifestException">There is no manifest, or it does not describe a package.</exception>
    /// <exception cref="PackageFormatVersionException">The manifest has another format version.</exception>
    /// <exception cref="PackageBaseException">The base of the overlay is not there or is another package.</exception>
    /// <exception cref="PackageUnreadableException">The system refuses to read it.</exception>
    public static PackageManifest Read(string folder) => ManifestReader.Read(folder);

    /// <summary>Writes the manifest into a folder, and flushes it to the disk.</summary>
    public void Write(string folder) =>
        ManifestReader.Write(folder, JsonSerializer.SerializeToUtf8Bytes(this, ManifestJson.Default.PackageManifest));
}

/// <summary>Names of the components, in the order in which a picture needs them.</summary>
internal static class ComponentNames
{
    /// <summary>The first text encoder: ids in, the hidden states of the penultimate layer and of those before it out.</summary>
    public const string ClipL = "clip_l";

    /// <summary>The second text encoder: as the first, and the pooled output out.</summary>
    public const string ClipG = "clip_g";

    /// <summary>Keys and values of every cross-attention, from the text encoders' hidden states; once per batch.</summary>
    public const string CrossAttention = "cross_attention";

    /// <summary>The time embedding of every ResBlock for all steps of a schedule; once per batch.</summary>
    public const string TimeEmbedding = "time_embedding";

    /// <summary>The UNet: one evaluation for all rows of a batch.</summary>
    public const string UNet = "unet";

    /// <summary>The VAE's decoder: latents to a picture.</summary>
    public const string VaeDecoder = "vae_decoder";

    /// <summary>The decoder in fp32, for pictures that overflow fp16; only in packages whose decoder runs in fp16.</summary>
    public const string VaeDecoderFp32 = "vae_decoder_fp32";

    /// <summary>The decoder's numbers to bytes, and whether any of them is not finite.</summary>
    public const string PostProcessing = "finishing";

    /// <summary>Post-processing of a picture with a frame, which is laid over the bytes.</summary>
    public const string Framing = "framing";

    /// <summary>The VAE's encoder: a picture to latents.</summary>
    public const string VaeEncoder = "vae_encoder";

    /// <summary>An upscaler: bytes of a tile to bytes of the enlarged one, and whether any number is not finite.</summary>
    public const string Upscaler = "upscaler";

    /// <summary>The upscaler in fp32, for pictures that overflow fp16; only in packages whose upscaler runs in fp16.</summary>
    public const string UpscalerFp32 = "upscaler_fp32";
}

/// <summary>The checkpoint that a package was made from.</summary>
/// <param name="Name">File name without its extension.</param>
/// <param name="Sha256">SHA-256 of the whole file, lower-case hex.</param>
/// <param name="Bytes">Size of the file in bytes.</param>
internal sealed record CheckpointSpec(string Name, string Sha256, long Bytes)
{
    /// <summary>The title that the file gives itself (<c>modelspec.title</c>), if any.</summary>
    public string? Title { get; init; }

    /// <summary>The licence that the file states (<c>modelspec.license</c>), if any.</summary>
    public string? License { get; init; }
}

/// <summary>Sizes of the model that the engine needs.</summary>
internal sealed record ModelSpec
{
    /// <summary>Input channels of an inpainting model's UNet: of latents, of a mask and of a masked picture's latents.</summary>
    public const int InpaintingChannels = 9;

    /// <summary>
    /// Input channels of the UNet: those of a latent and, in inpainting models, of a mask and a masked picture.
    /// </summary>
    public required int InputChannels { get; init; }

    /// <summary>Channels of a latent.</summary>
    public required int LatentChannels { get; init; }

    /// <summary>Whether the UNet also reads a mask and a masked picture.</summary>
    [JsonIgnore]
    public bool IsInpainting => InputChannels == InpaintingChannels;

    /// <summary>Width of CLIP-L's hidden states.</summary>
    public required int ClipLWidth { get; init; }

    /// <summary>Width of CLIP-G's hidden states.</summary>
    public required int ClipGWidth { get; init; }

    /// <summary>Width of CLIP-G's pooled output.</summary>
    public required int PooledWidth { get; init; }

    /// <summary>Positions of the text encoders.</summary>
    public required int TextLength { get; init; }

    /// <summary>The number by which latents are divided before they are decoded.</summary>
    public required float LatentScale { get; init; }

    /// <summary>Number of parameters of all components.</summary>
    public required long Parameters { get; init; }

    /// <summary>The quantity that the UNet predicts.</summary>
    public PredictionType Prediction { get; init; }

    /// <summary>
    /// Whether the model was trained on a schedule whose last timestep is noise alone. Only with <see cref="PredictionType.Velocity"/>.
    /// </summary>
    public bool ZeroTerminalSnr { get; init; }

    /// <summary>
    /// The continuous range of noise levels of a model of the EDM formulation; null for models with discrete timesteps.
    /// </summary>
    public SigmaRange? Sigmas { get; init; }

    /// <summary>
    /// The mark by which the exporter recognised <see cref="Prediction"/>, in words; null where the checkpoint has none.
    /// </summary>
    public string? PredictionMark { get; init; }
}

/// <summary>A part of the model: stages that run one after the other.</summary>
internal sealed record ComponentSpec
{
    /// <summary>Its name, one of <see cref="ComponentNames"/>.</summary>
    public required string Name { get; init; }

    /// <summary>Tensors that the caller of the component writes.</summary>
    public required IReadOnlyList<TensorSpec> Inputs { get; init; }

    /// <summary>Tensors that the caller of the component reads.</summary>
    public required IReadOnlyList<TensorSpec> Outputs { get; init; }

    /// <summary>Tensors that one stage computes for later ones.</summary>
    public required IReadOnlyList<TensorSpec> Intermediates { get; init; }

    /// <summary>The stages in the order in which they run.</summary>
    public required IReadOnlyList<StageSpec> Stages { get; init; }
}

/// <summary>A tensor that crosses a stage's border.</summary>
/// <param name="Name">Its name within the component.</param>
/// <param name="Type">Its element type.</param>
/// <param name="Shape">Its dimensions, outermost first.</param>
internal sealed record TensorSpec(string Name, ElementType Type, IReadOnlyList<Dimension> Shape)
{
    /// <summary>Number of elements for one picture's shape.</summary>
    public long Elements(PictureShape shape) => Shape.Aggregate(1L, (product, dimension) => checked(product * dimension.Resolve(shape)));

    /// <summary>Number of bytes for one picture's shape.</summary>
    public long Bytes(PictureShape shape) => checked(Elements(shape) * Type.Size());
}

/// <summary>The kind of a stage, which decides where its weights are.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<StageKind>))]
internal enum StageKind
{
    /// <summary>
    /// Convolutions over images. Weights are constants of the graph, whose layout the session adapts to the device; the stage stays loaded.
    /// </summary>
    Convolution,

    /// <summary>
    /// A transformer block over tokens. Its weights are inputs of the graph: stages of one shape share a session, and weights can be moved.
    /// </summary>
    Transformer,
}

/// <summary>One run of a graph.</summary>
internal sealed record StageSpec
{
    /// <summary>Its name: the block of the network that it computes.</summary>
    public required string Name { get; init; }

    /// <summary>Its kind.</summary>
    public required StageKind Kind { get; init; }

    /// <summary>Name of the graph's file. Stages of the same shape share one.</summary>
    public required string Graph { get; init; }

    /// <summary>The graph's inputs, each with the component's tensor.</summary>
    public required IReadOnlyList<BindingSpec> Inputs { get; init; }

    /// <summary>The graph's outputs, each with the component's tensor.</summary>
    public required IReadOnlyList<BindingSpec> Outputs { get; init; }

    /// <summary>The weights that are inputs of the graph; empty if weights are constants.</summary>
    public required IReadOnlyList<WeightSpec> Weights { get; init; }

    /// <summary>The constants of the graph; empty if weights are inputs.</summary>
    public required IReadOnlyList<WeightSpec> Constants { get; init; }

    /// <summary>Bytes of constants that a session of the graph holds; 0 if weights are inputs.</summary>
    [JsonIgnore]
    public long ConstantBytes => Constants.Sum(constant => constant.Bytes);

    /// <summary>
    /// The bytes from the first weight to the end of the last one, which lie in one file; null if weights are constants.
    /// </summary>
    [JsonIgnore]
    public WeightRange? WeightRange => Weights.Count == 0
        ? null
        : new WeightRange(Weights[0].File, Weights[0].Offset, Weights[^1].Range.End - Weights[0].Offset);
}

/// <summary>Binds an input or output of a graph to a tensor of the component.</summary>
/// <param name="Graph">The name in the graph.</param>
/// <param name="Tensor">The name in the component.</param>
internal sealed record BindingSpec(string Graph, string Tensor);

/// <summary>A file of the package.</summary>
/// <param name="Name">Its name within the package.</param>
/// <param name="Bytes">Its size in bytes.</param>
/// <param name="Sha256">SHA-256 of its content, lower-case hex.</param>
internal sealed record FileSpec(string Name, long Bytes, string Sha256);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, NewLine = "\n",
    RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(PackageManifest))]
internal sealed partial class ManifestJson : JsonSerializerContext;
