using System.Drawing;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using MuseAtelier;
using MuseAtelier.Cpu;
using MuseAtelier.Extensions.AI;
using MuseAtelier.Samples.ImageGenerator;

if (args is not [string model, string folder])
{
    await Console.Error.WriteLineAsync("Usage: ImageGenerator MODEL FOLDER");
    return 1;
}

await using Atelier atelier = await Atelier.OpenAsync(model, new AtelierOptions { Backend = CpuBackend.Create() });

HostApplicationBuilder builder = Host.CreateApplicationBuilder();
builder.Services.AddSingleton<IAtelier>(atelier);
builder.Services.AddImageGenerator(services => services.GetRequiredService<IAtelier>().AsImageGenerator())
    .ConfigureOptions(options => options.ImageSize ??= new Size(512, 512))
    .UseLogging();

// A language model of your own takes the place of ScriptedChatClient: the IChatClient of Microsoft.Extensions.AI.OpenAI, of Ollama, of
// any other package. It has to be able to call tools.
builder.Services.AddChatClient(new ScriptedChatClient())
    .UseImageGeneration()
    .UseFunctionInvocation();
using IHost host = builder.Build();

// A picture by its prompt. Settings that only MuseAtelier has go into the additional properties.
var generator = host.Services.GetRequiredService<IImageGenerator>();
var options = new ImageGenerationOptions
{
    AdditionalProperties = new()
    {
        [MuseImageKeys.Seed] = 42,
        [MuseImageKeys.Steps] = 12,
        [MuseImageKeys.NegativePrompt] = "blurry, low quality",
    },
};
ImageGenerationResponse painted = await generator.GenerateImagesAsync("a vase of sunflowers, oil painting", options);
await SaveAsync(painted.Contents, "prompt");

// A picture that the chat model asks for. Its options come from the tool.
var client = host.Services.GetRequiredService<IChatClient>();
var toolOptions = new ImageGenerationOptions { MediaType = "image/jpeg", AdditionalProperties = new() { [MuseImageKeys.Steps] = 12 } };
var tool = new HostedImageGenerationTool { Options = toolOptions };
ChatResponse answer = await client.GetResponseAsync("Paint me a lighthouse.", new ChatOptions { Tools = [tool] });
IEnumerable<ImageGenerationToolResultContent> results =
    answer.Messages.SelectMany(message => message.Contents).OfType<ImageGenerationToolResultContent>();
await SaveAsync(results.SelectMany(result => result.Outputs ?? []), "chat");
Console.WriteLine(answer.Text);
return 0;

async Task SaveAsync(IEnumerable<AIContent> contents, string name)
{
    foreach (DataContent content in contents.OfType<DataContent>())
    {
        string path = Path.Combine(folder, $"{name}-{content.Name}");
        await File.WriteAllBytesAsync(path, content.Data);
        Console.WriteLine($"{path}: seed {content.AdditionalProperties?[MuseImageKeys.Seed]}");
    }
}
