// Paints the prompts of a text file, one a line, and ends. Ctrl+C or SIGTERM ends it after the picture that is being painted:
//   Worker --MuseAtelier:Model=models/miniature/miniature.safetensors --Worker:Prompts=prompts.txt --Worker:Folder=.
//          --Worker:Size=512 --Worker:Steps=20
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using MuseAtelier;
using MuseAtelier.Cpu;
using MuseAtelier.Pictures;

HostApplicationBuilder builder = Host.CreateApplicationBuilder(args);
builder.Services.AddMuseAtelier(builder.Configuration.GetSection("MuseAtelier"), options => options.Backend = CpuBackend.Create());
builder.Services.AddHostedService<PromptWorker>();
// A picture takes longer than the default of 30 seconds on some machines.
builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromMinutes(2));
using IHost host = builder.Build();
await host.RunAsync();

/// <summary>Paints the prompts, and stops the host after the last one.</summary>
internal sealed class PromptWorker(
    IAtelier atelier, IConfiguration configuration, IHostApplicationLifetime lifetime, ILogger<PromptWorker> log) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        string file = configuration["Worker:Prompts"] ?? throw new InvalidOperationException("Worker:Prompts names no file of prompts.");
        string folder = configuration["Worker:Folder"] ?? ".";
        int size = configuration.GetValue("Worker:Size", 512), steps = configuration.GetValue("Worker:Steps", 20);
        int number = 0;
        foreach (string prompt in await File.ReadAllLinesAsync(file, stoppingToken))
        {
            if (stoppingToken.IsCancellationRequested) break;
            number++;
            var request = new PictureRequest { Prompt = prompt, Width = size, Height = size, Steps = steps, Seed = (ulong)number };
            try
            {
                // Without the token: what has begun is finished before the host stops.
                using Picture picture = await atelier.GenerateAsync(request, cancellationToken: CancellationToken.None);
                string path = Path.Combine(folder, $"{number:000}.png");
                WrittenPicture written = await PictureFile.WriteAsync(picture, path, cancellationToken: CancellationToken.None);
                log.LogInformation("{Path}: {Prompt}", written.Path, prompt);
            }
            catch (MuseAtelierException exception)
            {
                // One prompt that cannot be painted does not stop the others.
                log.LogError(exception, "Line {Line} was not painted.", number);
            }
        }

        lifetime.StopApplication();
    }
}
