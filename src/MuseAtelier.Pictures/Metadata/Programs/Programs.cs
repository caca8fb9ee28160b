namespace MuseAtelier.Pictures.Metadata;

/// <summary>The names of the programs whose texts can be read.</summary>
internal static class Programs
{
    public const string
        MuseAtelier = "MuseAtelier",
        Automatic1111 = "AUTOMATIC1111",
        Forge = "Forge",
        SdNext = "SD.Next",
        StableDiffusionCpp = "stable-diffusion.cpp",
        ComfyUi = "ComfyUI",
        SwarmUi = "SwarmUI",
        Fooocus = "Fooocus",
        InvokeAi = "InvokeAI",
        NovelAi = "NovelAI",
        DrawThings = "Draw Things",
        StabilityMatrix = "Stability Matrix",
        EasyDiffusion = "Easy Diffusion",
        Midjourney = "Midjourney";
}
