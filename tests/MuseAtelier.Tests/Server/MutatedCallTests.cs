using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using MuseAtelier.Server;
using MuseAtelier.Server.Adapters;
using MuseAtelier.Server.Automatic1111;
using MuseAtelier.Server.Clients;
using MuseAtelier.Server.Models;
using MuseAtelier.Server.OpenAi;
using MuseAtelier.Server.Requests;
using MuseAtelier.Server.Uploads;
using MuseAtelier.Tests.Server.Automatic1111;
using MuseAtelier.Tests.Hostile;
using MuseAtelier.Tests.Server.Host;
using MuseAtelier.Tests.Server.Uploads;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Server;

/// <summary>
/// Damaged bodies of other programs' clients are read, or refused with a status below 500. The environment variable MUSE_MUTATIONS sets the
/// number of bodies.
/// </summary>
[Collection(ClientServer.Name)]
public sealed class MutatedCallTests(RunningServer server)
{
    private const string OpenAi = """
        {"model": "gpt-image-1", "prompt": "a fox \u00e9", "n": 2, "size": "1024x1024", "quality": "hd", "style": "vivid", "user": "u",
        "response_format": "b64_json", "output_format": "webp", "output_compression": 80, "stream": false, "partial_images": 2,
        "background": "auto", "moderation": "low", "seed": "5", "steps": 3, "guidance": 7.5, "negative_prompt": "rain"}
        """;

    private UploadStore Uploads => server.Services.GetRequiredService<UploadStore>();

    private IModelShelf Shelf => server.Services.GetRequiredService<IModelShelf>();

    [Theory]
    [InlineData("webuiapi")]
    [InlineData("sillytavern")]
    [InlineData("auto-photoshop")]
    public void Automatic1111sBodies_Damaged_AreReadOrRefused(string client)
    {
        string path = Path.Combine(
            GoldenFiles.Root, "tests", "MuseAtelier.Tests", "Server", "Automatic1111", "Recorded", $"{client}.json");
        var store = new OptionStore(Shelf);
        var fields = CallReaders.Of(server, store);
        Run(File.ReadAllBytes(path), body => ParameterEchoOf(fields.Read(body)));
    }

    [Theory]
    [InlineData("webuiapi-img2img", true)]
    [InlineData("sillytavern-hires", false)]
    public void BodiesWithPicturesAndPasses_Damaged_AreReadOrRefused(string client, bool isOver)
    {
        string path = Path.Combine(
            GoldenFiles.Root, "tests", "MuseAtelier.Tests", "Server", "Automatic1111", "Recorded", $"{client}.json");
        PaintingFields fields = CallReaders.Of(server, new OptionStore(Shelf));
        Run(File.ReadAllBytes(path), body => ParameterEchoOf(fields.Read(body, isOver)));
    }

    [Fact]
    public void OwnRequestsWithSources_Damaged_AreReadOrRefused()
    {
        string picture = Uploads.Add(UploadFilesOf.Picture(), null).Id, mask = Uploads.Add(UploadFilesOf.Mask(), null).Id;
        string request = $$"""
            {"prompt": "a", "width": 256, "height": 256, "source": {"upload": "{{picture}}", "fit": "pad", "strength": 0.5,
            "extend": {"left": 8, "top": 0}, "mask": {"upload": "{{mask}}", "blur": 4, "content": "fill", "onlyMaskedPadding": 8,
            "pasteBack": true} }, "hires": {"scale": 1.5, "strength": 0.5, "steps": 2, "upscaler": "lanczos", "sampler": "euler"} }
            """;
        var reader = server.Services.GetRequiredService<RequestReader>();
        Run(Encoding.UTF8.GetBytes(request), body => reader.Read(body));
    }

    [Fact]
    public void Automatic1111sOptions_Damaged_AreTakenOrRefused()
    {
        var store = new OptionStore(Shelf);
        byte[] options = Encoding.UTF8.GetBytes(JsonAnswer.TextOf(store.Write));
        Run(options, body => store.Set(new ClientFields(body)));
    }

    [Fact]
    public void OpenAisBodies_Damaged_AreReadOrRefused()
    {
        var reader = new ImageCallReader(Shelf, server.Services.GetRequiredService<LoraCatalog>(), new ServerLimits());
        Run(Encoding.UTF8.GetBytes(OpenAi), body => reader.Read(body));
    }

    private void ParameterEchoOf(PaintingCall call) => JsonAnswer.TextOf(json => ParameterEcho.Write(json, call, Uploads));

    private static void Run(byte[] good, Action<JsonElement> read)
    {
        var mutation = new JsonMutation(good, seed: 1111);
        int count = MutationRun.Count(400), taken = 0;
        for (int i = 0; i < count; i++)
        {
            byte[] body = mutation.Next();
            try
            {
                using JsonDocument document = ClientBody.Parse(body);
                read(document.RootElement);
                taken++;
            }
            catch (ServerRequestException refused)
            {
                Assert.InRange(refused.Status, 400, 499);
            }
            catch (Exception exception)
            {
                Assert.Fail($"mutation {i}, {Encoding.UTF8.GetString(body)}: {exception}");
            }
        }

        Assert.InRange(taken, 1, count - 1);
    }
}
