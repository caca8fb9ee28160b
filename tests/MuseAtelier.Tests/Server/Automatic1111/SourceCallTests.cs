using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using MuseAtelier.Server;
using MuseAtelier.Server.Adapters;
using MuseAtelier.Server.Automatic1111;
using MuseAtelier.Server.Clients;
using MuseAtelier.Server.Models;
using MuseAtelier.Server.Uploads;
using MuseAtelier.Tests.Loras;
using MuseAtelier.Tests.Server.Host;
using MuseAtelier.Tests.Server.Uploads;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Server.Automatic1111;

/// <summary>The fields of img2img and of hires fix.</summary>
[Collection(ClientServer.Name)]
public sealed class SourceCallTests(RunningServer server)
{
    private static readonly string Picture = Convert.ToBase64String(UploadFilesOf.Picture());

    private static readonly string Mask = Convert.ToBase64String(UploadFilesOf.Mask());

    private readonly OptionStore _store = new(server.Services.GetRequiredService<IModelShelf>());

    private UploadStore Uploads => server.Services.GetRequiredService<UploadStore>();

    [Fact]
    public void APicture_HasAutomatic1111sDefaults()
    {
        PaintingCall call = Over("");
        PictureSource source = call.Job.Picture.Source!;
        Assert.Equal((0.75f, SourceFit.Stretch, SamplingDialect.A1111), (source.Strength, source.Fit, call.Job.Picture.Dialect));
        Assert.Null(source.Mask);
        Assert.Equal(Uploads.Find(call.Job.Uploads.Source!)!.Sha256, source.Image.Sha256);
        Assert.False(call.Body.TryGetProperty("init_images", out _));
        InpaintMask mask = Over($"\"mask\":\"{Mask}\"").Job.Picture.Source!.Mask!;
        Assert.Equal((4, MaskedContent.Fill, 0, true), (mask.Blur, mask.Content, mask.OnlyMaskedPadding, mask.PasteBack));
    }

    [Theory]
    [InlineData("\"resize_mode\":1", SourceFit.Crop)]
    [InlineData("\"resize_mode\":2", SourceFit.Pad)]
    public void ResizeModes_AreFits(string fields, SourceFit fit) => Assert.Equal(fit, Over(fields).Job.Picture.Source!.Fit);

    [Theory]
    [InlineData(1, MaskedContent.Original)]
    [InlineData(2, MaskedContent.Noise)]
    [InlineData(3, MaskedContent.Nothing)]
    public void MaskFields_AreTaken(int fill, MaskedContent content)
    {
        string fields = $"\"mask\":\"{Mask}\",\"inpainting_fill\":{fill},\"inpaint_full_res\":false,\"mask_blur_x\":7,\"mask_blur_y\":7";
        InpaintMask mask = Over(fields).Job.Picture.Source!.Mask!;
        Assert.Equal((7, content, null), (mask.Blur, mask.Content, mask.OnlyMaskedPadding));
    }

    [Fact]
    public void Masks_AreThoseOfAutomatic1111()
    {
        byte[] plain = PixelsOf($"\"mask\":\"{Mask}\""), inverted = PixelsOf($"\"mask\":\"{Mask}\",\"inpainting_mask_invert\":1");
        Assert.Equal((255, 0), (plain[0], plain[31]));
        Assert.All(plain.Zip(inverted), pair => Assert.Equal(255, pair.First + pair.Second));
        // A mask with transparent parts is one by its opacity.
        byte[] opacity = PixelsOf($"\"mask\":\"{Convert.ToBase64String(UploadFilesOf.Transparent())}\"");
        Assert.Equal((0, 255), (opacity[0], opacity[31]));
    }

    [Fact]
    public void TransparentParts_OfThePicture_AreLaidOnWhite()
    {
        PaintingCall call = Read($"\"init_images\":[\"{Convert.ToBase64String(UploadFilesOf.Transparent())}\"]", isOver: true);
        SourceImage image = Uploads.LoadSource(Uploads.Find(call.Job.Uploads.Source!)!);
        Assert.True(image.Alpha.IsEmpty);
        Assert.Equal([255, 255, 255], image.Pixels.Span[..3].ToArray());
        Assert.Equal([200, 100, 50], image.Pixels.Span[^3..].ToArray());
    }

    [Theory]
    [InlineData("\"resize_mode\":3", 422, "resize_mode")]
    [InlineData("\"mask\":\"MASK\",\"mask_blur_x\":2,\"mask_blur_y\":3", 422, "mask_blur_x")]
    [InlineData("\"initial_noise_multiplier\":0.5", 422, "initial_noise_multiplier")]
    [InlineData("\"mask_round\":false", 422, "mask_round")]
    [InlineData("\"latent_mask\":\"MASK\"", 422, "latent_mask")]
    [InlineData("\"script_name\":\"SD upscale\"", 422, "script_name")]
    [InlineData("\"denoising_strength\":1.5", 400, "denoising_strength")]
    [InlineData("\"mask\":\"MASK\",\"mask_blur\":65", 400, "mask_blur")]
    [InlineData("\"mask\":\"MASK\",\"inpainting_fill\":4", 400, "inpainting_fill")]
    [InlineData("\"mask\":\"http://localhost/a.png\"", 400, "mask")]
    [InlineData("\"mask\":\"aGVsbG8=\"", 400, "mask")]
    [InlineData("\"override_settings\":{\"img2img_fix_steps\":true}", 422, "override_settings.img2img_fix_steps")]
    public void WhatCannotBePainted_IsRefusedByName(string fields, int status, string field)
    {
        var refused = Assert.Throws<ServerRequestException>(() => Over(fields.Replace("MASK", Mask, StringComparison.Ordinal)));
        Assert.Equal((status, field), (refused.Status, refused.Problem.Field));
    }

    [Theory]
    [InlineData("\"init_images\":[]", 404)]
    [InlineData("\"init_images\":[\"PICTURE\",\"PICTURE\"]", 422)]
    [InlineData("\"init_images\":[\"data:image/png;base64,####\"]", 400)]
    [InlineData("\"init_images\":[null]", 400)]
    public void Pictures_OtherThanOne_AreRefused(string fields, int status)
    {
        string body = fields.Replace("PICTURE", Picture, StringComparison.Ordinal);
        var refused = Assert.Throws<ServerRequestException>(() => Read(body, isOver: true));
        Assert.Equal((status, "init_images"), (refused.Status, refused.Problem.Field));
    }

    [Fact]
    public void HiresFix_HasAutomatic1111sDefaults()
    {
        HiresPass pass = Hires("");
        Assert.Equal((2f, 0.75f, null, HiresUpscaler.Latent), (pass.Scale, pass.Strength, pass.Steps, pass.Upscaler));
        Assert.Equal((null, null, null, null), (pass.Prompt, pass.NegativePrompt, pass.Sampler, pass.Schedule));
        Assert.Null(Read("\"hr_scale\":3").Job.Picture.Hires);
    }

    [Fact]
    public void FieldsOfHiresFix_AreTaken()
    {
        HiresPass pass = Hires(
            "\"hr_scale\":1.5,\"denoising_strength\":0.4,\"hr_second_pass_steps\":9,\"hr_upscaler\":\"latent (nearest)\","
            + "\"hr_prompt\":\"b\",\"hr_negative_prompt\":\"c\",\"hr_sampler_name\":\"DPM++ 2M Karras\",\"hr_cfg\":5,"
            + "\"hr_checkpoint_name\":\"Use same checkpoint\"");
        Assert.Equal((1.5f, 0.4f, 9, HiresUpscaler.LatentNearest), (pass.Scale, pass.Strength, pass.Steps, pass.Upscaler));
        Assert.Equal(("b", "c", SamplerName.Dpmpp2M, 5f), (pass.Prompt, pass.NegativePrompt, pass.Sampler, pass.GuidanceScale));
        PictureRequest same = Read("\"sampler_name\":\"DPM++ 2M Karras\"").Job.Picture;
        Assert.Equal(same.Schedule, pass.Schedule);
        // Without a schedule of its own, the second pass has that of the call.
        HiresPass other = Hires("\"sampler_name\":\"Euler\",\"scheduler\":\"karras\",\"hr_sampler_name\":\"DPM++ 2M\"");
        Assert.Equal(same.Schedule, other.Schedule);
    }

    [Fact]
    public void TagsOfHrPrompt_AreTheLorasOfTheSecondPass()
    {
        using var files = new LoraFiles();
        AtelierOptions atelier = TestAtelier.Options with { LoraFolders = [Path.GetDirectoryName(files.A)!] };
        LoraCatalog loras = new(new ServerOptions { Models = [], Atelier = atelier, Gallery = "/nowhere" });
        const string first = "\"enable_hr\":true,\"prompt\":\"cat <lora:a:0.5>\"";

        PictureRequest picture = Read($"{first},\"hr_prompt\":\"dog <lora:b:0.25>\"", loras: loras).Job.Picture;
        Assert.Equal([("a", 0.5f)], picture.Loras.Select(lora => (lora.Name, lora.Strength)));
        Assert.Equal([("b", 0.25f)], picture.Hires!.Loras!.Select(lora => (lora.Name, lora.Strength)));
        Assert.Equal(64, picture.Hires.Loras![0].Sha256!.Length);
        Assert.Empty(Read($"{first},\"hr_prompt\":\"dog\"", loras: loras).Job.Picture.Hires!.Loras!);
        // Without a prompt of its own, the second pass has the first one's.
        Assert.Null(Read($"{first},\"hr_prompt\":\"\"", loras: loras).Job.Picture.Hires!.Loras);
        var refused = Assert.Throws<ServerRequestException>(() => Read($"{first},\"hr_prompt\":\"<lora:none>\"", loras: loras));
        Assert.Equal(404, refused.Status);
    }

    [Theory]
    [InlineData("\"hr_resize_x\":384", 1.5f)]
    [InlineData("\"hr_resize_y\":1024", 2f)]
    [InlineData("\"hr_resize_x\":512,\"hr_resize_y\":1024", 2f)]
    public void HiresSizes_InTheSameProportions_AreScales(string fields, float scale) =>
        Assert.Equal(scale, Hires($"\"width\":256,\"height\":512,{fields}").Scale);

    [Theory]
    [InlineData("\"hr_resize_x\":512,\"hr_resize_y\":512", 422, "hr_resize_x")]
    [InlineData("\"hr_resize_x\":500", 422, "hr_resize_x")]
    [InlineData("\"hr_upscaler\":\"Latent (antialiased)\"", 422, "hr_upscaler")]
    [InlineData("\"hr_upscaler\":\"../4x.pth\"", 422, "hr_upscaler")]
    [InlineData("\"hr_checkpoint_name\":\"other\"", 422, "hr_checkpoint_name")]
    [InlineData("\"firstphase_width\":512", 422, "firstphase_width")]
    [InlineData("\"hr_sampler_name\":\"nothing\"", 400, "hr_sampler_name")]
    [InlineData("\"hr_scheduler\":\"nothing\"", 400, "hr_scheduler")]
    [InlineData("\"hr_scale\":9", 400, "hr_scale")]
    [InlineData("\"width\":1024,\"height\":1024,\"hr_scale\":5", 400, "hr_scale")]
    public void HiresFix_ThatCannotBePainted_IsRefusedByName(string fields, int status, string field)
    {
        var refused = Assert.Throws<ServerRequestException>(() => Hires($"\"width\":256,\"height\":512,{fields}".Replace(
            "\"width\":256,\"height\":512,\"width\"", "\"width\"", StringComparison.Ordinal)));
        Assert.Equal((status, field), (refused.Status, refused.Problem.Field));
    }

    private byte[] PixelsOf(string fields) => Uploads.LoadMask(Uploads.Find(Over(fields).Job.Uploads.Mask!)!).Pixels.ToArray();

    private HiresPass Hires(string fields) => Read(Joined("\"enable_hr\":true", fields)).Job.Picture.Hires!;

    private PaintingCall Over(string fields) => Read(Joined($"\"init_images\":[\"{Picture}\"]", fields), isOver: true);

    private PaintingCall Read(string fields, bool isOver = false, LoraCatalog? loras = null)
    {
        using JsonDocument document = ClientBody.Parse(Encoding.UTF8.GetBytes($"{{{fields}}}"));
        return CallReaders.Of(server, _store, loras).Read(document.RootElement, isOver);
    }

    private static string Joined(string first, string rest) => rest.Length == 0 ? first : $"{first},{rest}";
}
