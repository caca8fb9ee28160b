using System.Globalization;
using System.Text;
using MuseAtelier.Format;
using MuseAtelier.Pictures;
using MuseAtelier.Storms.Fuzzing;
using MuseAtelier.Storms.Running;

namespace MuseAtelier.Storms.Requests;

/// <summary>A valid request for every route of the server. docs/http-api.md and docs/clients.md list the routes.</summary>
internal static class RouteSeeds
{
    /// <summary>
    /// Stands for a job's id, which the server draws. It is as long as one, so that the length of a request does not depend on the id.
    /// </summary>
    public const string AnyJob = "00anyjobanyjobanyjobanyjob";

    private const string Json = "application/json",
        Boundary = "----storm";

    private const string Request = """
        {"prompt":"a quiet harbour, (boats:1.2)","negativePrompt":"fog","syntax":"a1111","width":256,"height":256,"steps":1,"guidance":7,
        "sampler":"euler-a","schedule":"karras","seed":"7","count":1,"frame":"gilded","model":"miniature","format":"png","quality":90,
        "clipSkip":2,"eta":1,"noise":"torch","variationSeed":"3","variationStrength":0.1,"guidanceRescale":0.2}
        """;

    private const string TextToImage = """
        {"prompt":"a quiet harbour","negative_prompt":"fog","width":256,"height":256,"steps":1,"cfg_scale":7,"sampler_name":"Euler a",
        "scheduler":"karras","seed":7,"subseed":3,"subseed_strength":0.1,"batch_size":1,"n_iter":1,"styles":[],"tiling":false,
        "restore_faces":false,"enable_hr":false,"hr_scale":2,"hr_upscaler":"Latent","denoising_strength":0.7,"clip_skip":2,"eta":1,
        "s_churn":0,"s_noise":1,"override_settings":{"CLIP_stop_at_last_layers":2,"sd_vae":"Automatic"},"script_args":[],
        "override_settings_restore_afterwards":true,"alwayson_scripts":{},"save_images":false,"send_images":true}
        """;

    private const string Generations = """
        {"prompt":"a quiet harbour","model":"miniature","n":1,"size":"256x256","response_format":"b64_json","output_format":"png",
        "output_compression":90,"quality":"auto","background":"opaque","moderation":"auto","stream":false,"partial_images":1,"user":"a"}
        """;

    private const string OverPicture = """
        {"prompt":"a","width":256,"height":256,"steps":1,"source":{"picture":"picture-0.png","fit":"pad","strength":0.5,
        "extend":{"left":8,"top":0,"right":0,"bottom":0},"mask":{"sha256":"00","blur":4,"content":"fill","onlyMaskedPadding":8,
        "pasteBack":true}},"hires":{"scale":1.5,"strength":0.5,"steps":1,"upscaler":"lanczos","sampler":"euler","schedule":"karras"}}
        """;

    // The file of a seed above, which most runs have sent by then.
    private static readonly string SoundUpload = Sha256.Hash(SoundPictures.All[0]);

    private static readonly string[] Targets =
    [
        "/", "/index.html", "/favicon.ico", "/scripts/main.js", "/styles/page.css", "/fonts/", "/health", "/health/live", "/health/ready",
        "/metrics", "/openapi/v1.json", "/docs", "/docs/", "/nothing",
    ];

    /// <summary>The names of the pictures in the gallery.</summary>
    public static IReadOnlyList<string> Pictures { get; } = ["picture-0.png", "picture-1.jpg", "picture-2.webp", "picture-3.png"];

    /// <summary>The seeds.</summary>
    public static IReadOnlyList<RouteSeed> All { get; } = [.. Own(), .. Gallery(), .. Automatic1111(), .. OpenAi(), .. Pages()];

    /// <summary>Writes the pictures into the gallery.</summary>
    public static void WriteGallery(string folder)
    {
        Directory.CreateDirectory(folder);
        foreach ((int number, string name) in Pictures.Index())
            PictureFile.Write(StormPicture.Numbered(number), Path.Combine(folder, name));
    }

    private static IEnumerable<RouteSeed> Own() =>
        [
            new("GET", "/api/v1/state"),
            new("GET", "/api/v1/jobs"),
            Post("/api/v1/jobs", Request),
            Post("/api/v1/jobs", """{"prompt":"a","steps":1,"width":256,"height":256,"basis":"picture-0.png"}"""),
            Post("/api/v1/jobs", OverPicture),
            Post("/api/v1/plan", OverPicture),
            new("DELETE", "/api/v1/jobs"),
            new("GET", $"/api/v1/jobs/{AnyJob}"),
            new("DELETE", $"/api/v1/jobs/{AnyJob}"),
            new("GET", $"/api/v1/jobs/{AnyJob}/preview"),
            Post($"/api/v1/jobs/{AnyJob}/move", """{"place":0}"""),
            Post("/api/v1/plan", Request),
            Post("/api/v1/tokens", """{"prompt":"a (b:1.2) BREAK c","negativePrompt":"[a|b]","syntax":"a1111","model":"miniature"}"""),
            new("GET", "/api/v1/events"),
            new("GET", "/api/v1/checklist"),
            new("GET", "/api/v1/models"),
            Post("/api/v1/models/refresh", "{}"),
        ];

    private static IEnumerable<RouteSeed> Gallery()
    {
        yield return new("GET", "/api/v1/pictures?q=picture&cursor=&limit=20");
        yield return new("GET", "/api/v1/pictures");
        foreach (string name in Pictures)
        {
            yield return new("GET", $"/api/v1/pictures/{name}");
            yield return new("GET", $"/api/v1/pictures/{name}/file");
            yield return new("GET", $"/api/v1/pictures/{name}/file?download");
            yield return new("GET", $"/api/v1/pictures/{name}/thumbnail");
            yield return new("POST", $"/api/v1/pictures/{name}/restore");
        }

        yield return new("DELETE", $"/api/v1/pictures/{Pictures[3]}");
        yield return new("POST", $"/api/v1/pictures/{Pictures[0]}/verify");
        yield return new("POST", "/api/v1/records", "application/octet-stream", AnyPicture);
        yield return new("POST", "/api/v1/records", "image/png", AnyPicture);
        yield return new("POST", "/api/v1/uploads?name=a.png", "image/png", AnyPicture);
        yield return new("POST", "/api/v1/uploads", "application/octet-stream", AnyPicture);
        yield return new("GET", $"/api/v1/uploads/{SoundUpload}");
        yield return new("GET", $"/api/v1/uploads/{SoundUpload}/file");
    }

    private static IEnumerable<RouteSeed> Automatic1111()
    {
        foreach (
            string name in new[]
            {
                "options", "sd-models", "samplers", "schedulers", "upscalers", "latent-upscale-modes", "sd-vae", "loras", "progress",
                "cmd-flags", "memory", "embeddings", "scripts", "hypernetworks", "prompt-styles",
            }
        )
            yield return new("GET", $"/sdapi/v1/{name}");
        yield return new("GET", "/sdapi/v1/progress?skip_current_image=true");
        yield return Post("/sdapi/v1/options", """{"sd_model_checkpoint":"miniature","CLIP_stop_at_last_layers":1}""");
        yield return Post("/sdapi/v1/txt2img", TextToImage);
        yield return new(
            "POST", "/sdapi/v1/img2img", Json, random => Text(TextToImage.Insert(
                1, $"\"init_images\":[\"{Base64(random)}\"],\"mask\":\"{Base64(random)}\",\"inpainting_fill\":1,\"resize_mode\":1,")));
        yield return new("POST", "/sdapi/v1/png-info", Json, random => Text($$"""{"image":"{{Base64(random)}}"}"""));
        yield return new("POST", "/sdapi/v1/png-info", Json, random => Text($$"""{"image":"data:image/png;base64,{{Base64(random)}}"}"""));
        foreach (string name in new[] { "interrupt", "skip", "refresh-checkpoints", "refresh-vae", "refresh-loras" })
            yield return Post($"/sdapi/v1/{name}", "{}");
    }

    private static IEnumerable<RouteSeed> OpenAi() =>
        [
            new("GET", "/v1/models"),
            new("GET", "/v1/models/miniature"),
            Post("/v1/images/generations", Generations),
            Post("/v1/images/generations", Generations.Replace("\"stream\":false", "\"stream\":true", StringComparison.Ordinal)),
            new("POST", "/v1/images/edits", $"multipart/form-data; boundary={Boundary}", Form),
        ];

    private static IEnumerable<RouteSeed> Pages() =>
        from target in Targets
        select new RouteSeed("GET", target);

    private static RouteSeed Post(string target, string body) => new("POST", target, Json, _ => Text(body));

    private static byte[] Text(string text) => Encoding.UTF8.GetBytes(text);

    private static string Base64(Random random) => Convert.ToBase64String(AnyPicture(random));

    // A sound file in one of three cases, else a damaged one.
    private static byte[] AnyPicture(Random random)
    {
        int kind = random.Next(SoundPictures.All.Count);
        byte[] sound = SoundPictures.All[kind];
        return random.Next(3) == 0 ? sound
            : kind == 0 ? PngFuzz.Damage(random, sound)
            : ByteFuzz.Damage(random, sound, random.Next(2) == 0 ? 256 : 0);
    }

    private static byte[] Form(Random random)
    {
        using var form = new MemoryStream();
        foreach ((string name, string value) in new[] { ("prompt", "a quiet harbour"), ("n", "1"), ("size", "256x256") })
            form.Write(Text(Invariant($"--{Boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")));
        foreach (string name in new[] { "image", "mask" })
        {
            string head = $"Content-Disposition: form-data; name=\"{name}\"; filename=\"../../{name}.png\"\r\nContent-Type: image/png";
            form.Write(Text(Invariant($"--{Boundary}\r\n{head}\r\n\r\n")));
            form.Write(AnyPicture(random));
            form.Write(Text("\r\n"));
        }

        form.Write(Text(Invariant($"--{Boundary}--\r\n")));
        return form.ToArray();
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
