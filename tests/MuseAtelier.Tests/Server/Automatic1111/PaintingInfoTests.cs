using System.Text.Json.Nodes;
using MuseAtelier.Pictures;
using MuseAtelier.Server.Automatic1111;
using MuseAtelier.Server.Clients;
using MuseAtelier.Server.Jobs;
using MuseAtelier.Server.Requests;
using MuseAtelier.Tests.Pictures;

namespace MuseAtelier.Tests.Server.Automatic1111;

/// <summary>AUTOMATIC1111's info: what names the VAE, and which prompts are without comments.</summary>
public sealed class PaintingInfoTests
{
    private static readonly PictureRequest Request = new() { Prompt = "a lake # at night", NegativePrompt = "#rain\nfog" };

    [Fact]
    public void Write_OfAVaeInAFileOfItsOwn_NamesTheFileAndTheFirstDigitsOfItsDigest()
    {
        string digest = $"0123456789abcdef{new string('0', 48)}";
        JsonNode with = Write(new UsedVae { Name = "my.vae.safetensors", Sha256 = digest });
        Assert.Equal(("my.vae.safetensors", "0123456789"), ((string?)with["sd_vae_name"], (string?)with["sd_vae_hash"]));
        JsonObject without = Write(vae: null);
        Assert.True(without.ContainsKey("sd_vae_name") && without.ContainsKey("sd_vae_hash"));
        Assert.Null(without["sd_vae_name"]);
        Assert.Null(without["sd_vae_hash"]);
    }

    [Fact]
    public void Write_OfPromptsWithComments_LeavesThemOutOfAllPrompts()
    {
        JsonNode info = Write(vae: null);
        Assert.Equal((Request.Prompt, Request.NegativePrompt), ((string?)info["prompt"], (string?)info["negative_prompt"]));
        Assert.Equal(
            ("a lake \n", "\nfog"), ((string?)info["all_prompts"]![0], (string?)info["all_negative_prompts"]![0]));
    }

    private static JsonObject Write(UsedVae? vae)
    {
        var call = new PaintingCall
        {
            Job = new JobRequest { Picture = Request },
            BatchSize = 1,
            Options = new RememberedOptions(),
            SendsPictures = true,
            IncludesSource = false,
            Body = default,
        };
        var picture = new FinishedPicture
        {
            Index = 0,
            Request = Request,
            File = default,
            Format = PictureFormat.Png,
            Width = 8,
            Height = 8,
            Parameters = "",
            Model = new ModelInfo("model", SamplePicture.Sha256, "/nowhere") { Parameters = 1, Vae = vae },
        };
        return JsonNode.Parse(JsonAnswer.TextOf(json => PaintingInfo.Write(json, call, [picture], DateTimeOffset.UnixEpoch)))!.AsObject();
    }
}
