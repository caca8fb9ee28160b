using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using MuseAtelier.Pictures;
using MuseAtelier.Server;
using MuseAtelier.Server.Automatic1111;
using MuseAtelier.Server.Clients;
using MuseAtelier.Server.Models;
using MuseAtelier.Tests.Server.Host;

namespace MuseAtelier.Tests.Server.Automatic1111;

/// <summary>How the fields of txt2img become a request.</summary>
[Collection(ClientServer.Name)]
public sealed class PaintingFieldTests(RunningServer server)
{
    private const string Common = "\"prompt\":\"(a fox:1.2)\",\"negative_prompt\":\"rain\",\"steps\":20,\"cfg_scale\":6.5,\"seed\":5,"
        + "\"width\":768,\"height\":512";

    private readonly OptionStore _store = new(server.Services.GetRequiredService<IModelShelf>());

    [Theory]
    [InlineData("\"sampler_name\":\"DPM++ 2M Karras\"", "Sampler: DPM++ 2M, Schedule type: Karras")]
    [InlineData("\"sampler_name\":\"DPM++ 2M Karras\",\"scheduler\":\"exponential\"", "Sampler: DPM++ 2M Karras")]
    [InlineData("\"sampler_name\":\"Euler a\"", "Sampler: Euler a, Schedule type: Automatic")]
    [InlineData("\"sampler_index\":\"Euler a\",\"scheduler\":\"\"", "Sampler: Euler a, Schedule type: Automatic")]
    [InlineData("\"sampler_name\":\"DPM++ 2M SDE\",\"scheduler\":\"SGM Uniform\"", "Sampler: DPM++ 2M SDE, Schedule type: SGM Uniform")]
    [InlineData("\"sampler_name\":\"DPM++ 2M SGM Uniform\"", "Sampler: DPM++ 2M, Schedule type: SGM Uniform")]
    [InlineData("\"sampler_name\":\"DPM++ 3M SDE\",\"scheduler\":\"automatic\"", "Sampler: DPM++ 3M SDE, Schedule type: Automatic")]
    [InlineData("\"sampler_name\":\"DDIM\",\"eta\":1", "Sampler: DDIM, Schedule type: Automatic, Eta DDIM: 1")]
    [InlineData("\"sampler_name\":\"Euler\",\"eta\":1", "Sampler: Euler, Schedule type: Automatic")]
    [InlineData("\"sampler_name\":\"UniPC\"", "Sampler: UniPC, Schedule type: Automatic")]
    [InlineData("\"sampler_name\":\"LMS\",\"scheduler\":\"Beta\"", "Sampler: LMS, Schedule type: Beta")]
    [InlineData(
        "\"sampler_name\":\"DPM++ SDE\",\"override_settings\":{\"randn_source\":\"CPU\"}",
        "Sampler: DPM++ SDE, Schedule type: Automatic, RNG: CPU")]
    [InlineData(
        "\"sampler_name\":\"Euler\",\"override_settings\":{\"emphasis\":\"No norm\",\"skip_early_cond\":0.1}",
        "Sampler: Euler, Schedule type: Automatic, Emphasis: No norm, Skip Early CFG: 0.1")]
    [InlineData(
        "\"sampler_name\":\"Euler\",\"override_settings\":{\"sd_noise_schedule\":\"Zero Terminal SNR\"}",
        "Sampler: Euler, Schedule type: Automatic, Noise Schedule: Zero Terminal SNR")]
    [InlineData(
        "\"sampler_name\":\"Euler\",\"subseed\":9,\"subseed_strength\":0.25",
        "Sampler: Euler, Schedule type: Automatic, Variation seed: 9, Variation seed strength: 0.25")]
    [InlineData("\"sampler_name\":\"Euler\",\"clip_skip\":2", "Sampler: Euler, Schedule type: Automatic, Clip skip: 2")]
    public void Read_WithSettings_IsWhatAutomatic1111sTextOfThemMeans(string fields, string settings)
    {
        string text = $"(a fox:1.2)\nNegative prompt: rain\nSteps: 20, {settings}, CFG scale: 6.5, Seed: 5, Size: 768x512";
        PictureRequest expected = ParametersText.Parse("the text", text).Request;
        Assert.Equal(expected, Read($"{{{Common},{fields}}}").Job.Picture);
    }

    [Fact]
    public void Read_WithNothing_HasAutomatic1111sDefaults()
    {
        PaintingCall call = Read("{}");
        PictureRequest request = call.Job.Picture;
        Assert.Equal((SamplerName.Euler, 50, 7f), (request.Sampler, request.Steps, request.GuidanceScale));
        Assert.Equal((512, 512), (request.Width, request.Height));
        Assert.Equal((1, false, true, "a1111"), (call.Job.Count, call.Job.IsKept, call.SendsPictures, call.Job.Origin));
        Assert.NotEqual(request.Seed, Read("{}").Job.Picture.Seed);
    }

    [Fact]
    public void Read_WithClipSkip3_UsesThatLayerAsForge() => Assert.Equal(3, Read("{\"clip_skip\":3}").Job.Picture.ClipSkip);

    [Fact]
    public void Read_WithNumbersAsTexts_TakesThem()
    {
        PaintingCall call = Read(
            "{\"seed\":\"18446744073709551615\",\"steps\":\"7\",\"batch_size\":2.0,\"n_iter\":\"3\",\"save_images\":1}");
        Assert.Equal((ulong.MaxValue, 7, 6, true), (call.Job.Picture.Seed, call.Job.Picture.Steps, call.Job.Count, call.Job.IsKept));
    }

    [Theory]
    [InlineData("restore_faces", "true")]
    [InlineData("tiling", "true")]
    [InlineData("init_images", "[\"aGVsbG8=\"]")]
    [InlineData("styles", "[\"cinematic\"]")]
    [InlineData("script_name", "\"X/Y/Z plot\"")]
    [InlineData("refiner_checkpoint", "\"refiner.safetensors\"")]
    [InlineData("infotext", "\"Steps: 3\"")]
    [InlineData("s_churn", "0.5")]
    [InlineData("s_min_uncond", "1")]
    [InlineData("seed_resize_from_w", "512")]
    [InlineData("alwayson_scripts", "{\"ControlNet\":{\"args\":[{\"enabled\":true}]}}", "alwayson_scripts.ControlNet")]
    [InlineData("override_settings", "{\"sd_vae\":\"other.safetensors\"}", "override_settings.sd_vae")]
    [InlineData("override_settings", "{\"eta_noise_seed_delta\":31337}", "override_settings.eta_noise_seed_delta")]
    public void Read_WithAFieldThatWouldChangeThePicture_RefusesItByName(string name, string value, string? field = null)
    {
        var refused = Assert.Throws<ServerRequestException>(() => Read($"{{\"sampler_name\":\"Euler\",\"{name}\":{value}}}"));
        Assert.Equal((422, "not-supported", field ?? name), (refused.Status, refused.Problem.Kind, refused.Problem.Field));
        Assert.Contains(field ?? name, refused.Problem.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"s_noise\":2,\"sampler_name\":\"Euler\"")]
    [InlineData("\"s_churn\":2,\"sampler_name\":\"DPM++ 2M\"")]
    [InlineData("\"styles\":[],\"script_name\":\"None\",\"alwayson_scripts\":{\"a\":{\"args\":[false,{}]}}")]
    [InlineData("\"alwayson_scripts\":{\"b\":{\"args\":[{\"enabled\":false}]}}")]
    [InlineData("\"override_settings\":{\"sd_vae\":\"None\",\"s_noise\":1.0,\"live_previews_enable\":false}")]
    [InlineData("\"denoising_strength\":0.3,\"hr_scale\":4,\"unknown\":{\"a\":[1]}")]
    public void Read_WithFieldsThatChangeNothing_IgnoresThem(string fields) => Assert.Equal(1, Read($"{{{fields}}}").Job.Count);

    [Theory]
    [InlineData("\"sampler_name\":\"Restart\"", "sampler_name", "Sampler not found")]
    [InlineData("\"scheduler\":\"align_your_steps_GITS\"", "scheduler", "/sdapi/v1/schedulers")]
    [InlineData("\"steps\":0", "steps", "from 1 to 1000")]
    [InlineData("\"steps\":\"many\"", "steps", "\"many\"")]
    [InlineData("\"width\":100", "width", "multiples of 8 from 256 to 4096")]
    [InlineData("\"batch_size\":8,\"n_iter\":9", "n_iter", "at most 64")]
    [InlineData("\"seed\":-2", "seed", "-1 for any")]
    [InlineData("\"prompt\":7", "prompt", "a text")]
    public void Read_WithABadValue_NamesIt(string fields, string field, string part)
    {
        var refused = Assert.Throws<ServerRequestException>(() => Read($"{{{fields}}}"));
        Assert.Equal((400, "bad-value", field), (refused.Status, refused.Problem.Kind, refused.Problem.Field));
        Assert.Contains(part, refused.Problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_WithOverridesThatStay_RemembersThem()
    {
        Read("{\"override_settings\":{\"CLIP_stop_at_last_layers\":4}}");
        Assert.Equal(1, _store.Current.ClipSkip);
        Read("{\"override_settings\":{\"CLIP_stop_at_last_layers\":4},\"override_settings_restore_afterwards\":false}");
        Assert.Equal(4, _store.Current.ClipSkip);
        Assert.Equal(4, Read("{}").Job.Picture.ClipSkip);
        Assert.Equal(2, Read("{\"clip_skip\":1}").Job.Picture.ClipSkip);
    }

    private PaintingCall Read(string body, bool isOver = false)
    {
        using JsonDocument document = ClientBody.Parse(Encoding.UTF8.GetBytes(body));
        return CallReaders.Of(server, _store).Read(document.RootElement, isOver);
    }
}
