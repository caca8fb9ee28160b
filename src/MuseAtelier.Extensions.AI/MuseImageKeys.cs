using Microsoft.Extensions.AI;

namespace MuseAtelier.Extensions.AI;

/// <summary>
/// The keys of <see cref="ImageGenerationOptions.AdditionalProperties"/> that an atelier's image generator reads, and those that it sets
/// on the pictures of a response. A value is a number, a text or a JSON element of either; null means that the key is not given. A value
/// that cannot be used is refused with an <see cref="ImageOptionException"/> that names the key. Other keys have no effect, because they
/// may be meant for another provider.
/// </summary>
public static class MuseImageKeys
{
    /// <summary>
    /// <see cref="PictureRequest.Seed"/>: a whole number from 0 to 2^64 - 1. -1 or no seed means a new one for each call. A picture of a
    /// response has its seed under the same key, as a <see cref="ulong"/>.
    /// </summary>
    public const string Seed = "seed";

    /// <summary><see cref="PictureRequest.Steps"/>: a whole number.</summary>
    public const string Steps = "steps";

    /// <summary><see cref="PictureRequest.NegativePrompt"/>: a text.</summary>
    public const string NegativePrompt = "negative_prompt";

    /// <summary><see cref="PictureRequest.GuidanceScale"/>: a number.</summary>
    public const string GuidanceScale = "guidance_scale";

    /// <summary><see cref="PictureRequest.GuidanceRescale"/>: a number.</summary>
    public const string GuidanceRescale = "guidance_rescale";

    /// <summary>
    /// <see cref="PictureRequest.Sampler"/>: an id such as <c>dpmpp_2m</c>, another program's name such as <c>DPM++ 2M</c>, or the name of
    /// a sampler that the options of the atelier register.
    /// </summary>
    public const string Sampler = "sampler";

    /// <summary>
    /// <see cref="PictureRequest.Schedule"/>: an id such as <c>karras</c>, or another program's name (<see cref="ScheduleCatalog"/>).
    /// </summary>
    public const string Scheduler = "scheduler";

    /// <summary><see cref="PictureRequest.Eta"/>: a number.</summary>
    public const string Eta = "eta";

    /// <summary><see cref="PictureRequest.Dialect"/>: <c>diffusers</c>, <c>a1111</c> or <c>comfy</c>.</summary>
    public const string Dialect = "dialect";

    /// <summary><see cref="PictureRequest.PromptSyntax"/>: <c>plain</c>, <c>a1111</c> or <c>comfy</c>.</summary>
    public const string PromptSyntax = "prompt_syntax";

    /// <summary><see cref="PictureRequest.ClipSkip"/>: a whole number.</summary>
    public const string ClipSkip = "clip_skip";

    /// <summary><see cref="PictureRequest.NoiseSource"/>: a name such as <c>a1111</c> or <c>comfy-gpu</c>.</summary>
    public const string NoiseSource = "noise_source";

    /// <summary><see cref="PictureRequest.VariationSeed"/>: a whole number from 0 to 2^64 - 1.</summary>
    public const string VariationSeed = "variation_seed";

    /// <summary><see cref="PictureRequest.VariationStrength"/>: a number.</summary>
    public const string VariationStrength = "variation_strength";

    /// <summary>
    /// The name of a <see cref="FewStepPreset"/>, such as <c>lightning-4</c>. It applies before all other keys, which change what it sets.
    /// </summary>
    public const string Preset = "preset";

    /// <summary>
    /// <see cref="PictureSource.Strength"/> of a call with an original image: a number from 0 to 1.
    /// </summary>
    public const string Strength = "strength";

    /// <summary><see cref="PictureSource.Fit"/> of a call with an original image: <c>crop</c>, <c>pad</c> or <c>stretch</c>.</summary>
    public const string Fit = "fit";

    /// <summary>
    /// The part of an original image that is painted anew: a <see cref="DataContent"/> with a picture that is white there, or the text
    /// <c>transparency</c> for the image's own transparent parts.
    /// </summary>
    public const string Mask = "mask";

    /// <summary><see cref="InpaintMask.Blur"/> of a call with a mask: a whole number from 0 to 64.</summary>
    public const string MaskBlur = "mask_blur";

    /// <summary>
    /// <see cref="GenerationOptions.BatchSize"/>: a whole number from 1 to <see cref="BatchSlot.LargestBatch"/>. It has no effect on a call
    /// for one picture.
    /// </summary>
    public const string BatchSize = "batch_size";

    /// <summary>The quality of JPEG and WebP: a whole number from 1 to 100.</summary>
    public const string Quality = "quality";

    /// <summary>
    /// Set on a picture of a response that has notices (<see cref="Picture.Notices"/>): the sentences, one a line, as a text.
    /// </summary>
    public const string Notices = "notices";
}
