using System.Text;
using System.Text.Json;
using MuseAtelier.Server;
using MuseAtelier.Server.Adapters;
using MuseAtelier.Server.Automatic1111;
using MuseAtelier.Server.Clients;

namespace MuseAtelier.Tests.Server.Automatic1111;

/// <summary>LoRAs, embeddings and the VAE in AUTOMATIC1111's form.</summary>
public sealed class AdapterListTests
{
    private static readonly Problem Fault = new() { Kind = "bad-lora", Message = "It is none." };

    [Fact]
    public void Loras_HaveFileNamesWithoutFolders_AndMetadataAsJson()
    {
        ListedLora[] loras =
        [
            new()
            {
                Name = "ink",
                Alias = "ink_v2",
                Bytes = 1,
                Path = "/secret/ink.safetensors",
                Metadata = new Dictionary<string, string> { ["ss_network_dim"] = "8", ["ss_tags"] = """{"ink": 2}""", ["odd"] = "{" },
            },
            new() { Name = "bad", Bytes = 1, Path = "/secret/bad.safetensors", Problem = Fault },
        ];
        Assert.Equal(
            """[{"name":"ink","alias":"ink_v2","path":"ink.safetensors","metadata":"""
                + """{"ss_network_dim":"8","ss_tags":{"ink":2},"odd":"{"}}]""",
            Written(json => AdapterLists.WriteLoras(json, loras)));
    }

    [Fact]
    public void Embeddings_ThatCannotBeUsed_AreSkipped() => Assert.Equal(
        """{"loaded":{"calm":{"step":null,"sd_checkpoint":null,"sd_checkpoint_name":null,"shape":2048,"vectors":6}},"""
            + """ "skipped":{"old":{"step":null,"sd_checkpoint":null,"sd_checkpoint_name":null,"shape":0,"vectors":0}}}""".TrimStart(),
        Written(json => AdapterLists.WriteEmbeddings(
            json,
            [
                new ListedEmbedding { Name = "calm", Vectors = 6, Bytes = 1 },
                new ListedEmbedding { Name = "old", Vectors = 0, Bytes = 1, Problem = Fault },
            ])));

    [Fact]
    public void AVae_IsListedByItsName_AndOthersAreRefused()
    {
        Assert.Equal("[]", Written(json => AdapterLists.WriteVaes(json, null)));
        Assert.Equal(
            """[{"model_name":"soft.safetensors","filename":"soft.safetensors"}]""",
            Written(json => AdapterLists.WriteVaes(json, "/vae/soft.safetensors")));
        foreach (string same in (string[])["soft.safetensors", "Automatic", ""])
            FixedOption.Vae("/vae/soft.safetensors").Check(Setting(same));
        foreach (string other in (string[])["None", "sharp.safetensors"])
        {
            ServerRequestException refused =
                Assert.Throws<ServerRequestException>(() => FixedOption.Vae("/vae/soft.safetensors").Check(Setting(other)));
            Assert.Equal(("not-supported", "sd_vae"), (refused.Problem.Kind, refused.Problem.Field));
        }

        FixedOption.Vae(null).Check(Setting("None"));
        Assert.Throws<ServerRequestException>(() => FixedOption.Vae(null).Check(Setting("soft.safetensors")));
    }

    private static ClientFields Setting(string value) =>
        new(JsonSerializer.SerializeToElement(new Dictionary<string, string> { ["sd_vae"] = value }));

    private static string Written(Action<Utf8JsonWriter> write)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream)) write(json);
        return Encoding.UTF8.GetString(stream.ToArray());
    }
}
