using System.Globalization;
using System.Text.Json;
using MuseAtelier.Pictures.Metadata;
using MuseAtelier.Sampling;
using MuseAtelier.Server.Adapters;
using MuseAtelier.Server.Clients;
using MuseAtelier.Server.Jobs;
using MuseAtelier.Server.Models;
using MuseAtelier.Server.Requests;
using MuseAtelier.Server.Uploads;

namespace MuseAtelier.Server.Automatic1111;

/// <summary>
/// Reads the fields that txt2img and img2img have in common, with AUTOMATIC1111's defaults (modules/processing.py,
/// StableDiffusionProcessing). The request is what the same settings in AUTOMATIC1111's text of a picture give.
/// </summary>
/// <param name="shelf">The models.</param>
/// <param name="store">The options that all calls have.</param>
/// <param name="sources">Reads the picture of img2img.</param>
/// <param name="passes">Reads the second pass of txt2img.</param>
/// <param name="loras">Has the LoRAs that prompts name.</param>
/// <param name="limits">The limits of a request.</param>
internal sealed class PaintingFields(
    IModelShelf shelf, OptionStore store, SourceCall sources, SecondPass passes, LoraCatalog loras, ServerLimits limits)
{
    private const string Overrides = "override_settings";

    private static readonly Dictionary<string, string> Names = new()
    {
        ["guidance"] = "cfg_scale",
        ["negativePrompt"] = "negative_prompt",
        ["clipSkip"] = "clip_skip",
        ["source"] = "init_images",
        ["source.strength"] = "denoising_strength",
        ["source.mask"] = "mask",
        ["hires"] = "enable_hr",
    };

    /// <summary>Reads a call.</summary>
    /// <param name="body">The body.</param>
    /// <param name="isOver">Whether it is one of img2img.</param>
    /// <exception cref="ServerRequestException">A field has no such value, or the server cannot do what it asks.</exception>
    public PaintingCall Read(JsonElement body, bool isOver = false)
    {
        var fields = new ClientFields(body);
        ClientFields? overrides = fields.Inner(Overrides);
        RememberedOptions options = overrides is { } set ? store.With(set) : store.Current;
        ShelfModel? model = overrides is { } chosen ? ModelNames.Named(chosen, shelf) : null;
        int batchSize = (int?)fields.Whole("batch_size", 1, limits.Count) ?? 1;
        int batches = (int?)fields.Whole("n_iter", 1, limits.Count) ?? 1;
        if ((long)batchSize * batches > limits.Count)
        {
            throw Problems.BadValue(
                "n_iter", $"batch_size times n_iter is {(long)batchSize * batches}", $"at most {limits.Count}", "Ask for fewer pictures.");
        }

        PictureRequest request = ReadRequest(fields, options);
        UnsupportedFields.Check(fields, request.Sampler, isOver);
        SourceUploads uploads = default;
        if (isOver)
        {
            (PictureSource source, uploads) = sources.Read(fields);
            request = request with { Source = source };
        }
        else
        {
            request = request with { Hires = passes.Read(fields, request) };
        }

        request = loras.Resolve(request);
        ClientRequest.Check(request, uploads, Names);
        bool isKept = fields.Flag("save_images") ?? false;
        bool sends = fields.Flag("send_images") ?? true;
        bool isRemembered = overrides is not null && fields.Flag($"{Overrides}_restore_afterwards") == false;
        if (isRemembered) store.Set(overrides!.Value);
        return new PaintingCall
        {
            Job = new JobRequest
            {
                Picture = request,
                Uploads = uploads,
                Count = batchSize * batches,
                Model = model?.Id,
                IsKept = isKept,
                Format = options.Format,
                Quality = options.Format == Pictures.PictureFormat.Png ? null : options.Quality,
                Origin = "a1111",
            },
            BatchSize = batchSize,
            Options = options,
            SendsPictures = sends,
            IncludesSource = isOver && fields.Flag("include_init_images") == true,
            Body = isOver ? ParameterEcho.WithoutPictures(body) : body,
        };
    }

    private PictureRequest ReadRequest(ClientFields fields, RememberedOptions options)
    {
        // Of AUTOMATIC1111's relatives, Forge is the one in which clip skip has an effect on SDXL.
        var draft = new RequestDraft(Programs.Forge)
        {
            Prompt = fields.Prompt("prompt", limits.PromptCharacters),
            Negative = fields.Prompt("negative_prompt", limits.PromptCharacters),
            Steps = (int?)fields.Whole("steps", 1, RequestRules.MostSteps) ?? 50,
            Guidance = fields.Number("cfg_scale", 0, RequestRules.LargestGuidanceScale) ?? 7,
            Seed = fields.Seed("seed") ?? DrawnSeed.Next(),
            VariationSeed = fields.Seed("subseed") ?? DrawnSeed.Next(),
            VariationStrength = fields.Number("subseed_strength", 0, 1) ?? 0,
            Width = Side(fields, "width"),
            Height = Side(fields, "height"),
            CommaBacktrack = options.CommaBacktrack,
        };
        CheckPixels(draft.Width.Value, draft.Height.Value);
        NamedSampler.OfCall(fields).TakeBy(draft, "scheduler");
        long? clipSkip = fields.Whole("clip_skip", 0, Format.ConditioningNames.MostClipSkip);
        draft.TakeClipSkip("clip_skip", (clipSkip ?? options.ClipSkip).ToString(CultureInfo.InvariantCulture));
        TakeOptions(draft, options);
        draft.Eta = EtaOf(draft.Sampler, fields, options);
        return draft.Finish().Request;
    }

    private static void TakeOptions(RequestDraft draft, RememberedOptions options)
    {
        var settings = new A1111Settings(draft, new SettingValues("the request"));
        settings.Take("RNG", options.NoiseSource);
        settings.Take(A1111Settings.Emphasis, options.Emphasis);
        settings.Take(A1111Settings.NoiseSchedule, options.NoiseSchedule);
        settings.Take("Skip Early CFG", options.SkippedGuidance.ToString(CultureInfo.InvariantCulture));
        settings.Finish();
    }

    // A strength that is the sampler's own is left out, so that the record has it only where it says something. Clients send one for all.
    private static float? EtaOf(SamplerName sampler, ClientFields fields, RememberedOptions options)
    {
        bool isDdim = sampler == SamplerName.Ddim;
        float? sent = sampler.IgnoresEta ? null : fields.Number("eta", 0, 1);
        float own = isDdim ? 0 : 1;
        float eta = sent ?? (isDdim ? options.EtaDdim : options.EtaAncestral);
        bool isOwn = eta == own && (sampler != SamplerName.Tcd || sent is null);
        return sampler.IgnoresEta || isOwn ? null : eta;
    }

    private static int Side(ClientFields fields, string name) => (int?)fields.Whole(name, 0, int.MaxValue) ?? 512;

    private void CheckPixels(int width, int height)
    {
        if ((long)width * height <= limits.Pixels) return;
        throw Problems.BadValue(
            "width", $"the size is {width}x{height} px", $"at most {limits.Pixels} px in all", "Ask for a smaller picture.");
    }
}
